// Where the steps of a journey stand: from top to bottom, worked out by dagre.
import dagre from '@dagrejs/dagre';

export interface Box {
  id: string;
  to: { to: string; label: string }[];
  height?: number; // default: height
}

export const width = 250;
export const height = 74;

export function layout(boxes: Box[]): Record<string, { x: number; y: number }> {
  const g = new dagre.graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: 'TB', nodesep: 44, ranksep: 58 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const b of boxes) g.setNode(b.id, { width, height: b.height ?? height });
  for (const b of boxes) b.to.forEach((e, i) => g.setEdge(b.id, e.to, {}, String(i)));
  dagre.layout(g);
  const at: Record<string, { x: number; y: number }> = {};
  for (const b of boxes) {
    const n = g.node(b.id);
    at[b.id] = { x: n.x - width / 2, y: n.y - (b.height ?? height) / 2 };
  }
  return at;
}
