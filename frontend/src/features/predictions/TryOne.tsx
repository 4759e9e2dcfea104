import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';

import { api, done, type Schemas } from '../../api/client';
import { datasetProfile, modelVersion } from '../../api/queries';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Labelled } from '../../ui/Labelled';
import { Loaded } from '../../ui/Loaded';
import { Answer } from './Answer';
import { inputsOf, rowOf, type Input } from './signature';

/** One row, by a form made from the signature of the version that is live. */
export function TryOne({ model, version }: { model: string; version: string }) {
  const query = useQuery(modelVersion(version));
  const lineage = query.data?.body.lineage;
  const profile = useQuery({ ...datasetProfile(lineage?.dataset ?? '', lineage?.dataset_version ?? 0), enabled: Boolean(lineage) });
  // The form opens with usual values: it waits for them, or for their failure.
  const ready = profile.data || profile.error ? query : { ...query, data: undefined };
  return (
    <Loaded query={ready}>
      {({ body }) => <Form model={model} detail={body} inputs={inputsOf(body.signature, profile.data?.body.columns ?? [])} />}
    </Loaded>
  );
}

function Form({ model, detail, inputs }: { model: string; detail: Schemas['VersionDetail']; inputs: Input[] }) {
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
            <span className="meta">Begun with the usual values of {detail.lineage.dataset} v{detail.lineage.dataset_version}; an empty one is not known.</span>
            <Button type="submit" look="primary" loading={predict.isPending}>
              Predict {detail.target}
            </Button>
          </div>
        </form>
      </Card>
      <Answer answer={predict.data} error={predict.error} target={detail.target} />
    </div>
  );
}
