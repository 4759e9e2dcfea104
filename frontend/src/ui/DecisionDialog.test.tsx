import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import { DecisionDialog } from './DecisionDialog';

function shown(onAct: (reason: string) => Promise<unknown>, onClose = vi.fn()) {
  render(
    <DecisionDialog title="Approve churn v8?" act="Approve" reason={{ label: 'Why', shortest: 10 }} onAct={onAct} onClose={onClose}>
      It replaces v7.
    </DecisionDialog>,
  );
  return { person: userEvent.setup(), onClose, reason: screen.getByRole('textbox', { name: 'Why' }) };
}

test('a short reason is refused with a sentence, and nothing is sent', async () => {
  const onAct = vi.fn(() => Promise.resolve());
  const { person, reason } = shown(onAct);
  await person.type(reason, 'because');
  await person.click(screen.getByRole('button', { name: 'Approve' }));
  expect(screen.getByRole('alert')).toHaveTextContent('at least 10 characters');
  expect(reason).toHaveFocus();
  expect(onAct).not.toHaveBeenCalled();
});

test('Ctrl+Enter sends the reason once, and the dialog closes', async () => {
  const onAct = vi.fn(() => Promise.resolve());
  const { person, reason, onClose } = shown(onAct);
  await person.type(reason, 'better on every segment');
  await person.keyboard('{Control>}{Enter}{/Control}');
  expect(onAct).toHaveBeenCalledExactlyOnceWith('better on every segment');
  expect(onClose).toHaveBeenCalledOnce();
});

test('what the platform refuses is shown, and what was typed stays', async () => {
  const { person, reason, onClose } = shown(() => Promise.reject(new Error('bea decided already')));
  await person.type(reason, 'better on every segment');
  await person.click(screen.getByRole('button', { name: 'Approve' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('bea decided already');
  expect(reason).toHaveValue('better on every segment');
  expect(onClose).not.toHaveBeenCalled();
});
