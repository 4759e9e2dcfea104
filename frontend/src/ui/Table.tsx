import MuiTable from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import TableSortLabel from '@mui/material/TableSortLabel';
import type { ReactNode } from 'react';

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

/** Rows of a list, as the server sent them: the server pages, sorts and filters. Keys: j, k, Enter, x (app/shortcuts). */
export function Table<Row>(props: Props<Row>) {
  const { label, columns, rows, rowKey, onSelect } = props;
  return (
    <div className="table-wrap" tabIndex={0} role="group" aria-label={label}>
      <MuiTable className="table" aria-label={label}>
        <TableHead>
          <TableRow>
            {onSelect && (
              <TableCell padding="checkbox">
                <span className="visually-hidden">Select</span>
              </TableCell>
            )}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row) => (
            <BodyRow key={rowKey(row)} row={row} id={rowKey(row)} {...props} />
          ))}
        </TableBody>
      </MuiTable>
    </div>
  );
}

function BodyRow<Row>({ row, id, columns, selected, onSelect, selectable, current }: Props<Row> & { row: Row; id: string }) {
  return (
    <TableRow className={current === id ? 'current' : undefined} aria-selected={onSelect && (selectable?.(row) ?? true) ? selected?.includes(id) : undefined}>
      {onSelect && (
        <TableCell padding="checkbox">
          {(selectable?.(row) ?? true) && <input type="checkbox" checked={selected?.includes(id) ?? false} onChange={() => onSelect(id)} aria-label={`Select ${id}`} />}
        </TableCell>
      )}
      {columns.map((column) => (
        <TableCell key={column.key} align={column.align} className={column.wideOnly ? 'wide-only' : undefined} {...(column.head && { component: 'th', scope: 'row' })}>
          {column.cell(row)}
        </TableCell>
      ))}
    </TableRow>
  );
}

function HeadCell<Row>({ column, sort, onSort }: { column: Column<Row>; sort?: Sort; onSort?: (sort: Sort) => void }) {
  const direction = sort === column.key ? 'asc' : sort === `-${column.key}` ? 'desc' : undefined;
  const name = column.hideName ? <span className="visually-hidden">{column.name}</span> : column.name;
  return (
    <TableCell align={column.align} className={column.wideOnly ? 'wide-only' : undefined} sortDirection={direction ?? false}>
      {column.sortable && onSort ? (
        <TableSortLabel active={direction !== undefined} direction={direction} onClick={() => onSort(direction === 'desc' ? column.key : `-${column.key}`)}>
          {name}
        </TableSortLabel>
      ) : (
        name
      )}
    </TableCell>
  );
}
