import type { Schemas } from '../../api/client';
import { Labelled } from '../../ui/Labelled';
import type { Draft } from './newRun';

interface Props {
  algorithm: Schemas['AlgorithmAnswer'];
  draft: Draft;
  task: Schemas['Task'] | null;
  fault: (field: string) => string | undefined;
  onChange: (change: Partial<Draft>) => void;
}

/** One algorithm: whether it is trained, and, unfolded, which of its hyperparameters are fixed. */
export function AlgorithmChoice({ algorithm, draft, task, fault, onChange }: Props) {
  const { name, title, spot } = algorithm;
  const chosen = draft.algorithms.includes(name);
  const parameters = algorithm.parameters.filter(({ tasks }) => !task || tasks.includes(task));
  const faulty = parameters.some((each) => fault(`training.hyperparameters.${name}.${each.name}`));
  const fixed = parameters.filter((each) => draft.parameters[`${name}.${each.name}`]?.trim()).length;
  return (
    <div className="algorithm">
      <label className="checked">
        <input type="checkbox" checked={chosen} onChange={(event) => onChange({ algorithms: event.target.checked ? [...draft.algorithms, name] : draft.algorithms.filter((each) => each !== name) })} />
        {title}
        <span className="meta">{spot ? 'on spot capacity: it resumes when interrupted' : 'on demand'}</span>
      </label>
      {chosen && (
        <details open={faulty || undefined}>
          <summary>{fixed ? `Hyperparameters, ${fixed} fixed` : 'Hyperparameters, none fixed'}</summary>
          <div className="pair">
            {parameters.map((parameter) => {
              const key = `${name}.${parameter.name}`;
              const set = (text: string) => onChange({ parameters: { ...draft.parameters, [key]: text } });
              return (
                <Labelled key={key} name={parameter.name} note={noteOf(parameter)} fault={fault(`training.hyperparameters.${key}`)}>
                  {(wiring) => <Value parameter={parameter} value={draft.parameters[key] ?? ''} onChange={set} wiring={wiring} />}
                </Labelled>
              );
            })}
          </div>
        </details>
      )}
    </div>
  );
}

type Parameter = Schemas['ParameterAnswer'];

function Value({ parameter, value, onChange, wiring }: { parameter: Parameter; value: string; onChange: (value: string) => void; wiring: object }) {
  const otherwise = parameter.searched ? 'searched for' : String(parameter.default);
  if (!parameter.choices.length) return <input className="field" inputMode="decimal" value={value} placeholder={otherwise} onChange={(event) => onChange(event.target.value)} {...wiring} />;
  return (
    <select className="field" value={value} onChange={(event) => onChange(event.target.value)} {...wiring}>
      <option value="">{otherwise}</option>
      {parameter.choices.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  );
}

function noteOf({ meaning, allowed, choices }: Parameter): string {
  return choices.length ? meaning : `${meaning}; ${allowed}`;
}
