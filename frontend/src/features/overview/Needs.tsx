import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { EmptyState } from '../../ui/EmptyState';
import { Status } from '../../ui/Status';
import { Time } from '../../ui/Time';
import { needShown } from './needShown';

/** What waits for somebody, newest first; each row leads to the place itself. */
export function Needs({ needs }: { needs: Schemas['NeedAnswer'][] }) {
  return (
    <Card title="Needs attention" flush>
      {needs.length === 0 && (
        <EmptyState title="Nothing waits for you" icon="check">
          <p className="quiet">No version to decide on, no failed run.</p>
        </EmptyState>
      )}
      <ul className="needs">
        {needs.map(needShown).map((need) => (
          <li key={need.key}>
            <Link to={need.to as '/'}>
              <Status kind={need.kind}>{need.word}</Status>
              <div className="words">
                <div className="strong">{need.title}</div>
                <div className="detail">
                  <Dated>{need.detail}</Dated>
                </div>
              </div>
              <span className="meta">
                <Time at={need.at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
