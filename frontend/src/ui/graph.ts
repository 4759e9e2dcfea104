/** Where the boxes and lines of a small graph go: columns by distance from the start, rows in the order given. */
export interface GraphNode {
  id: string;
  /** The nodes that this one comes after. Names that are not in the graph are left out. */
  after: string[];
}

export interface Placed {
  id: string;
  column: number;
  row: number;
}

export interface Layout {
  nodes: Placed[];
  columns: number;
  rows: number;
}

/** A node stands right of everything it comes after. A cycle is cut where it is met again. */
export function layoutOf(nodes: GraphNode[]): Layout {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const columns = new Map<string, number>();
  const columnOf = (id: string, path: Set<string>): number => {
    const done = columns.get(id);
    if (done !== undefined) return done;
    const before = (known.get(id)?.after ?? []).filter((each) => known.has(each) && !path.has(each));
    const column = Math.max(-1, ...before.map((each) => columnOf(each, new Set([...path, id])))) + 1;
    columns.set(id, column);
    return column;
  };
  const taken: number[] = [];
  const placed = nodes.map(({ id }) => {
    const column = columnOf(id, new Set([id]));
    const row = taken[column] ?? 0;
    taken[column] = row + 1;
    return { id, column, row };
  });
  const rows = Math.max(1, ...taken.filter((each) => each !== undefined));
  return { nodes: placed.map((each) => ({ ...each, row: each.row + (rows - (taken[each.column] ?? 1)) / 2 })), columns: taken.length, rows };
}
