/** A form's inputs from a model version's signature, and the row that a filled-in form stands for. */
import type { Schemas } from '../../api/client';
import { written } from '../../ui/format';

export interface Input {
  name: string;
  kind: string;
  /** Known values, the most frequent first. */
  values: string[];
  /** What to begin with: a usual value of the training data. */
  usual: string;
  note: string;
}

type Profiled = Schemas['UsualValues'];

const NUMBERS = ['integer', 'number'];
const LISTED = ['category', 'boolean'];

/** `signature` is as the version has it; `columns` are its training data's, empty while they are not known. */
export function inputsOf(signature: Record<string, unknown>, columns: Profiled[]): Input[] {
  const inputs = (signature.inputs ?? []) as Array<{ name: string; kind: string }>;
  return inputs.map(({ name, kind }) => {
    const column = columns.find((each) => each.name === name);
    const values = LISTED.includes(kind) ? (column?.top.map(({ value }) => value) ?? []) : [];
    return { name, kind, values, usual: usualOf(kind, column), note: noteOf(kind, column) };
  });
}

function usualOf(kind: string, column: Profiled | undefined): string {
  const middle = column?.quantiles['0.5'];
  if ((kind === 'date' || kind === 'timestamp') && middle != null) return written(kind, middle);
  if (NUMBERS.includes(kind) && middle != null) return String(kind === 'integer' ? Math.round(middle) : middle);
  return column?.top[0]?.value ?? '';
}

function noteOf(kind: string, column: Profiled | undefined): string {
  const { minimum, maximum } = column ?? {};
  return NUMBERS.includes(kind) && minimum != null && maximum != null ? `${kind}, ${minimum} to ${maximum} in training` : kind;
}

/** The row, or what is wrong by input's name. An empty input is a value that is not known. */
export function rowOf(inputs: Input[], typed: Record<string, string>): { row: Record<string, unknown>; faults: Record<string, string> } {
  const row: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const { name, kind } of inputs) {
    const text = (typed[name] ?? '').trim();
    const fault = text === '' ? undefined : faultOf(kind, text);
    if (fault) faults[name] = fault;
    else row[name] = text === '' ? null : NUMBERS.includes(kind) ? Number(text) : kind === 'boolean' ? text.toLowerCase() === 'true' : text;
  }
  return { row, faults };
}

function faultOf(kind: string, text: string): string | undefined {
  if (NUMBERS.includes(kind) && !Number.isFinite(Number(text))) return `${text} is no number`;
  if (kind === 'integer' && !Number.isInteger(Number(text))) return `${text} is no whole number`;
  if (kind === 'boolean' && !['true', 'false'].includes(text.toLowerCase())) return `${text} is neither true nor false`;
  if ((kind === 'date' || kind === 'timestamp') && Number.isNaN(Date.parse(text))) return `${text} is no ${kind === 'date' ? 'date' : 'time'}: write 2026-05-31${kind === 'date' ? '' : 'T14:30:00Z'}`;
  return undefined;
}
