// Where the steps of a journey stand: from top to bottom, worked out by dagre, with room
// for what is said on the ways between them.
import dagre from '@dagrejs/dagre';

export interface Box {
  id: string;
  to: { to: string; label: string; key?: string }[];
  height?: number; // default: height
}

interface Point {
  x: number;
  y: number;
}

export interface Placed {
  at: Record<string, Point>; // the upper left corner of each box
  labels: Record<string, Point>; // the middle of each way, by box and key
}

export const width = 250;
export const height = 74;

// wide guesses how wide a label is drawn, with the button beside it.
const wide = (label: string) => (label ? Math.min(190, label.length * 6.2 + 16) : 0) + 34;

export function layout(boxes: Box[]): Placed {
  const g = new dagre.graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: 'TB', nodesep: 40, ranksep: 44, edgesep: 24 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const b of boxes) g.setNode(b.id, { width, height: b.height ?? height });
  const keyOf = (b: Box, i: number) => b.to[i]?.key ?? String(i);
  const nameOf = (b: Box, i: number) => 'way ' + keyOf(b, i); // an empty name is none to dagre
  for (const b of boxes) b.to.forEach((e, i) => g.setEdge(b.id, e.to, { width: wide(e.label), height: 26, labelpos: 'c' }, nameOf(b, i)));
  dagre.layout(g);
  const out: Placed = { at: {}, labels: {} };
  for (const b of boxes) {
    const n = g.node(b.id);
    out.at[b.id] = { x: n.x - width / 2, y: n.y - (b.height ?? height) / 2 };
    b.to.forEach((e, i) => {
      const label = g.edge(b.id, e.to, nameOf(b, i)) as { x?: number; y?: number } | undefined;
      if (label?.x !== undefined && label.y !== undefined) out.labels[`${b.id} ${keyOf(b, i)}`] = { x: label.x, y: label.y };
    });
  }
  return out;
}
