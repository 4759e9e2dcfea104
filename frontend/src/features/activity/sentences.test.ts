import { expect, test } from 'vitest';

import { placeOf, sentenceOf, whoOf } from './sentences';

test('a deed is a sentence, with its reason where one was given', () => {
  const entry = { at: '2026-11-20T12:00:00Z', actor: 'user:ada', subject: 'model:churn', sequence: 1, hash: 'x' };
  expect(sentenceOf({ ...entry, action: 'model_version.approved', detail: { reason: 'better everywhere' } })).toBe('Approved a model version: better everywhere');
  expect(sentenceOf({ ...entry, action: 'dataset.created', detail: {} })).toBe('Made the dataset');
});

test('what was said in full is told, and not the word that programs go by', () => {
  const entry = { at: '2026-11-20T12:00:00Z', actor: 'governor', subject: 'model:churn', sequence: 1, hash: 'x' };
  const detail = { reason: 'no_new_labels', sentence: 'Retraining cannot help: no new labels since `v1`' };
  expect(sentenceOf({ ...entry, action: 'retraining.decided', detail })).toBe('Decided about retraining: Retraining cannot help: no new labels since v1');
});

test('people are known by name, runs by what they are', () => {
  expect(['user:ada', 'run:ingest-1', 'report:drift-1-data', 'on_new_version', 'client:4f'].map(whoOf)).toEqual(['ada', 'a run', 'a drift report', 'on new version', 'client:4f']);
});

test('things that have a place are led to', () => {
  expect(['dataset:churn', 'model:churn', 'run:ingest-1', 'alert:5f', 'api_key:7f'].map(placeOf)).toEqual(['/datasets/churn', '/models/churn', '/runs/ingest-1', '/alerts/5f', null]);
});
