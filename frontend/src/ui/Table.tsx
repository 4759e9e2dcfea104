import type { ReactNode } from 'react';

import { Icon } from './Icon';

export interface Column<Row> {
  key: string;
  name: string;
  /** The header is there, but only for those who cannot see the cells. */
  hideName?: boolean;
  align?: 'left' | 'right';
  sortable?: boolean;
  /** Names the row: read with each of its cells. At most one column. */
  head?: boolean;
  /** Not on narrow screens. */
  wideOnly?: boolean;
  cell: (row: Row) => ReactNode;
}

/** `size` or, descending, `-size`: as it stands in the URL. */
export type Sort = string;

interface Props<Row> {
  /** What the table is of: its accessible name. */
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  selected?: string[];
  onSelect?: (key: string) => void;
  /** Rows that may be chosen; all, when left out. */
  selectable?: (row: Row) => boolean;
  current?: string;
}

/**
 * Rows of a list, as the server sent them: the server pages, sorts and filters. Keys: j, k, Enter, x (app/shortcuts).
 * Plain elements: a list is the screen with the most of them, and a styled component for each cell is bytes and time for no other looks.
 */
export function Table<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, onSelect } = props;
  return (
    <div className="table-wrap" tabIndex={0} role="group" aria-label={label}>
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {onSelect && (
              <th className="select" scope="col">
                <span className="visually-hidden">Select</span>
              </th>
            )}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <BodyRow key={rowKey(row)} row={row} id={rowKey(row)} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BodyRow<Row>({ row, id, columns, selected, onSelect, selectable, current }: Props<Row> & { row: Row; id: string }) {
  const mayBeChosen = onSelect && (selectable?.(row) ?? true);
  return (
    <tr className={current === id ? 'current' : undefined} aria-selected={mayBeChosen ? selected?.includes(id) : undefined}>
      {onSelect && <td className="select">{mayBeChosen && <input type="checkbox" checked={selected?.includes(id) ?? false} onChange={() => onSelect(id)} aria-label={`Select ${id}`} />}</td>}
      {columns.map((column) =>
        column.head ? (
          <th key={column.key} scope="row" className={looksOf(column)}>
            {column.cell(row)}
          </th>
        ) : (
          <td key={column.key} className={looksOf(column)}>
            {column.cell(row)}
          </td>
        ),
      )}
    </tr>
  );
}

function HeadCell<Row>({ column, sort, onSort }: { column: Column<Row>; sort?: Sort; onSort?: (sort: Sort) => void }) {
  const direction = sort === column.key ? 'ascending' : sort === `-${column.key}` ? 'descending' : undefined;
  const name = column.hideName ? <span className="visually-hidden">{column.name}</span> : column.name;
  return (
    <th scope="col" className={looksOf(column)} aria-sort={direction}>
      {column.sortable && onSort ? (
        <button type="button" className="sort" onClick={() => onSort(direction === 'descending' ? column.key : `-${column.key}`)}>
          {name}
          <Icon name={direction === 'ascending' ? 'up' : 'down'} size={14} />
        </button>
      ) : (
        name
      )}
    </th>
  );
}

function looksOf<Row>({ align, wideOnly }: Column<Row>): string | undefined {
  return [align === 'right' && 'number', wideOnly && 'wide-only'].filter(Boolean).join(' ') || undefined;
}
