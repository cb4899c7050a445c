// Where the steps of a journey stand: from top to bottom, worked out by dagre.
import dagre from '@dagrejs/dagre';

export interface Box {
  id: string;
  to: { to: string; label: string }[];
}

export const width = 230;
export const height = 74;

export function layout(boxes: Box[]): Record<string, { x: number; y: number }> {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: 'TB', nodesep: 36, ranksep: 52 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const b of boxes) g.setNode(b.id, { width, height });
  for (const b of boxes) for (const e of b.to) g.setEdge(b.id, e.to);
  dagre.layout(g);
  const at: Record<string, { x: number; y: number }> = {};
  for (const b of boxes) {
    const n = g.node(b.id);
    at[b.id] = { x: n.x - width / 2, y: n.y - height / 2 };
  }
  return at;
}
