import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';

import { api, done, type Schemas } from '../../api/client';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Labelled } from '../../ui/Labelled';
import { Answer } from './Answer';
import { inputsOf, rowOf } from './signature';

/** One row, by a form made from the signature of the version that is live; it opens with usual values. */
export function TryOne({ form: asked }: { form: Schemas['PredictionForm'] }) {
  const { model, target, dataset, dataset_version: datasetVersion } = asked;
  const inputs = inputsOf(asked.signature, asked.columns);
  const [typed, setTyped] = useState<Record<string, string>>(() => Object.fromEntries(inputs.map(({ name, usual }) => [name, usual])));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const form = useRef<HTMLFormElement>(null);
  const predict = useMutation({
    mutationFn: (row: Record<string, unknown>) => done(api.POST('/inference/predict', { body: { model, rows: [row], explain: true } })),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { row, faults: found } = rowOf(inputs, typed);
    setFaults(found);
    const first = inputs.findIndex(({ name }) => found[name]);
    if (first >= 0) form.current?.querySelectorAll<HTMLElement>('[data-value]')[first]?.focus();
    else if (!predict.isPending) predict.mutate(row);
  };
  return (
    <div className="wide-and-narrow">
      <Card title="Try one">
        <form ref={form} className="stack" onSubmit={submit} noValidate aria-label={`Ask ${model}`}>
          <div className="inputs">
            {inputs.map((input) => (
              <Labelled key={input.name} name={input.name} note={input.note} fault={faults[input.name]}>
                {(wiring) => (
                  <>
                    <input
                      className="field"
                      data-value
                      autoComplete="off"
                      placeholder="not known"
                      inputMode={input.kind === 'integer' || input.kind === 'number' ? 'decimal' : undefined}
                      list={input.values.length ? `${wiring.id}-values` : undefined}
                      value={typed[input.name] ?? ''}
                      onChange={(event) => setTyped((before) => ({ ...before, [input.name]: event.target.value }))}
                      {...wiring}
                    />
                    {input.values.length > 0 && (
                      <datalist id={`${wiring.id}-values`}>
                        {input.values.map((value) => (
                          <option key={value} value={value} />
                        ))}
                      </datalist>
                    )}
                  </>
                )}
              </Labelled>
            ))}
          </div>
          <div className="row spread">
            <span className="meta">Begun with the usual values of {dataset} v{datasetVersion}; an empty one is not known.</span>
            <Button type="submit" look="primary" loading={predict.isPending}>
              Predict {target}
            </Button>
          </div>
        </form>
      </Card>
      <Answer answer={predict.data} error={predict.error} target={target} />
    </div>
  );
}
