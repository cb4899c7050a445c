// The canvas of a journey: its steps from top to bottom, with a drop point on every way.
// It draws what it is given; the page changes it.
import {
  Background,
  BaseEdge,
  Controls,
  EdgeLabelRenderer,
  Handle,
  Position,
  ReactFlow,
  useReactFlow,
  ReactFlowProvider,
  type Edge,
  type EdgeProps,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { createContext, useContext, useEffect, useMemo, useRef, useState, type DragEvent } from 'react';
import type { Schemas } from '../api';
import { useWords } from '../words';
import { allWays, BEGIN, END, shapeOf, type Draft, type Shape, type Way } from './canvas-model';
import { layout, width } from './layout';
import { Tag } from './kit';

export type StepFlow = Schemas['StepFlow'];

// Figure is a number of a step, and who stands behind it.
export interface Figure {
  key: string;
  text: string;
  who: string;
  reason?: string; // of messages that were not sent
  tone?: 'soft' | 'good' | 'warn';
}

export interface Canvas {
  draft: Draft;
  kinds: Shape[];
  titles: Record<string, string>; // of steps, in words
  labels: Record<string, string>; // of ways, by step and key
  begins: string; // what lets in, in words
  flaws: Record<string, { bad: number; warn: number; first: string }>;
  figures: Record<string, Figure[]>;
  path: string[]; // of a test run; empty: there was none
  selected: string | null;
  readOnly: boolean;
  onSelect: (name: string | null) => void;
  onAdd: (from: string, key: string) => void;
  onDropKind: (kind: string, from: string, key: string) => void;
  onMove: (name: string, from: string, key: string) => void;
  onFigure: (step: string, f: Figure) => void;
}

type Data = { name: string; of: Canvas } & Record<string, unknown>;
type StepNode = Node<Data, 'step'>;
type WayEdge = Edge<{ way: Way; label: string; at?: { x: number; y: number } } & Record<string, unknown>, 'way'>;

const kindType = 'application/x-rapport-kind';
const stepType = 'application/x-rapport-step';

// What is dragged shows where it may be dropped.
const Dragging = createContext<{ on: boolean; set: (on: boolean) => void }>({ on: false, set: () => undefined });
const Of = createContext<Canvas | null>(null);

// icons are drawn for kinds that have one; others have the first.
const paths: Record<string, string> = {
  template: 'M2.5 4h11v8h-11zM3 4.5l5 4 5-4',
  length: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2 1.4',
  list: 'M8 2v4M8 6L3.5 11v2M8 6l4.5 5v2',
  shares: 'M8 2v4M8 6c0 3-5 2-5 7M8 6c0 3 5 2 5 7',
  values: 'M3 4.5h10M3 8h10M3 11.5h6',
  text: 'M4 13V3l8 2.5L4 8',
  '': 'M3 8h9M9 4.5L12.5 8 9 11.5',
};

export function Icon({ shape }: { shape: Shape | undefined }) {
  const f = shape?.fields?.find((x) => x.required) ?? shape?.ways?.[0]?.fields?.[0] ?? shape?.fields?.[0];
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" className="jicon">
      <path
        d={paths[f?.type ?? ''] ?? paths['']}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function Step({ data }: NodeProps<StepNode>) {
  const { of: c, name } = data;
  const { t, language } = useWords();
  const drag = useContext(Dragging);
  if (name === BEGIN || name === END) {
    const flaw = c.flaws[''];
    return (
      <div className={'jnode jend' + (c.selected === BEGIN && name === BEGIN ? ' on' : '')}>
        <Handle type="target" position={Position.Top} isConnectable={false} />
        {name === BEGIN ? (
          <button type="button" className="jmain nodrag nopan" onClick={() => c.onSelect(BEGIN)} aria-pressed={c.selected === BEGIN}>
            <span className="jkind">{t('Begins')}</span>
            <b>{c.begins || t('Nothing lets anybody in yet')}</b>
            {flaw && flaw.bad > 0 && <span className="jmark bad">{t('{n} missing', { n: flaw.bad })}</span>}
          </button>
        ) : (
          <span className="soft">{t('The end')}</span>
        )}
        {name === BEGIN && <Figures of={c} name="" />}
        <Handle type="source" position={Position.Bottom} isConnectable={false} />
      </div>
    );
  }
  const step = c.draft.steps.find((s) => s.name === name);
  const shape = shapeOf(c.kinds, step?.kind ?? '');
  const flaw = c.flaws[name];
  const state = flaw?.bad ? ' wrong' : '';
  const passed = c.path.length === 0 ? '' : c.path.includes(name) ? ' passed' : ' missed';
  return (
    <div
      className={'jnode nodrag nopan' + state + passed + (c.selected === name ? ' on' : '')}
      draggable={!c.readOnly}
      onDragStart={(e) => {
        e.dataTransfer.setData(stepType, name);
        e.dataTransfer.effectAllowed = 'move';
        drag.set(true);
      }}
      onDragEnd={() => drag.set(false)}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <button type="button" className="jmain" onClick={() => c.onSelect(name)} aria-pressed={c.selected === name}>
        <span className="jkind">
          <Icon shape={shape} />
          {shape?.label[language] ?? step?.kind}
        </span>
        <b>{c.titles[name] || name}</b>
        {step?.note && <span className="jnote">{step.note}</span>}
        {flaw && flaw.bad > 0 && <span className="jmark bad">{flaw.first}</span>}
        {flaw && flaw.bad === 0 && flaw.warn > 0 && <span className="jmark warn">{flaw.first}</span>}
      </button>
      <Figures of={c} name={name} />
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

function Figures({ of: c, name }: { of: Canvas; name: string }) {
  const list = c.figures[name] ?? [];
  if (list.length === 0) return null;
  return (
    <div className="jnums">
      {list.map((f) => (
        <button key={f.key} type="button" className={f.tone ?? ''} onClick={() => c.onFigure(name, f)}>
          {f.text}
        </button>
      ))}
    </div>
  );
}

// bent draws a way that goes over to where something is said on it, and from there over
// to where it leads.
function bent(sx: number, sy: number, at: number, tx: number, ty: number): string {
  const lead = 15;
  // What differs by less than a line's width is one line.
  const near = (a: number, b: number) => Math.abs(a - b) < 3;
  const over = near(at, sx) ? sx : near(at, tx) ? tx : at;
  if (near(sx, tx) && over === sx) return `M${sx} ${sy} L${tx} ${ty}`;
  const corners: [number, number][] = [
    [sx, sy],
    [sx, sy + lead],
    [over, sy + lead],
    [over, ty - lead],
    [tx, ty - lead],
    [tx, ty],
  ];
  const points = corners.filter(
    (p, i) => i === 0 || Math.abs(p[0] - corners[i - 1]![0]) > 0.5 || Math.abs(p[1] - corners[i - 1]![1]) > 0.5,
  );
  let d = `M${points[0]![0]} ${points[0]![1]}`;
  for (let i = 1; i < points.length; i++) {
    const [x, y] = points[i]!;
    const next = points[i + 1];
    if (!next) return d + ` L${x} ${y}`;
    const [px, py] = points[i - 1]!;
    const r = Math.min(9, Math.hypot(x - px, y - py) / 2, Math.hypot(next[0] - x, next[1] - y) / 2);
    const back = [x - Math.sign(x - px) * r, y - Math.sign(y - py) * r];
    const on = [x + Math.sign(next[0] - x) * r, y + Math.sign(next[1] - y) * r];
    d += ` L${back[0]} ${back[1]} Q${x} ${y} ${on[0]} ${on[1]}`;
  }
  return d;
}

function WayLine({ id, sourceX, sourceY, targetX, targetY, data, markerEnd }: EdgeProps<WayEdge>) {
  const c = useContext(Of);
  const drag = useContext(Dragging);
  const { t } = useWords();
  const [over, setOver] = useState(false);
  if (!c || !data) return null;
  const way = data.way;
  const { x, y } = data.at ?? { x: (sourceX + targetX) / 2, y: (sourceY + targetY) / 2 };
  const d = bent(sourceX, sourceY, x, targetX, targetY);
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    drag.set(false);
    const kind = e.dataTransfer.getData(kindType);
    const step = e.dataTransfer.getData(stepType);
    if (kind) c.onDropKind(kind, way.from, way.key);
    else if (step) c.onMove(step, way.from, way.key);
  };
  const from = way.from === BEGIN ? t('the beginning') : c.titles[way.from] || way.from;
  return (
    <>
      <BaseEdge id={id} path={d} markerEnd={markerEnd} />
      <EdgeLabelRenderer>
        <div className="jway nodrag nopan" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
          {data.label && <span className="jlabel">{data.label}</span>}
          {!c.readOnly && (
            <button
              type="button"
              className={'jplus' + (over ? ' over' : '') + (drag.on ? ' open' : '')}
              aria-label={t('Add a step after {what}', { what: data.label ? `${from} (${data.label})` : from })}
              onClick={() => c.onAdd(way.from, way.key)}
              onDragOver={(e) => {
                e.preventDefault();
                setOver(true);
              }}
              onDragLeave={() => setOver(false)}
              onDrop={drop}
            >
              +
            </button>
          )}
        </div>
      </EdgeLabelRenderer>
    </>
  );
}

const nodeTypes = { step: Step };
const edgeTypes = { way: WayLine };

export function CanvasOf(props: Canvas) {
  const [on, set] = useState(false);
  const dragging = useMemo(() => ({ on, set }), [on]);
  return (
    <Dragging.Provider value={dragging}>
      <Of.Provider value={props}>
        <div className="jcanvas">
          {!props.readOnly && <Palette kinds={props.kinds} />}
          <div className="jflow">
            <ReactFlowProvider>
              <Flow {...props} />
            </ReactFlowProvider>
          </div>
        </div>
      </Of.Provider>
    </Dragging.Provider>
  );
}

function Palette({ kinds }: { kinds: Shape[] }) {
  const { t, language } = useWords();
  const drag = useContext(Dragging);
  return (
    <div className="jpalette" aria-hidden="true">
      <span className="soft small">{t('Drag onto a +')}</span>
      {kinds.map((k) => (
        <div
          key={k.key}
          className="jpick"
          draggable
          title={k.about[language]}
          onDragStart={(e) => {
            e.dataTransfer.setData(kindType, k.key);
            e.dataTransfer.effectAllowed = 'copy';
            drag.set(true);
          }}
          onDragEnd={() => drag.set(false)}
        >
          <Icon shape={k} />
          {k.label[language]}
        </div>
      ))}
    </div>
  );
}

// heightOf guesses how tall a step is drawn: lines of about 30 characters.
function heightOf(c: Canvas, name: string): number {
  const rows = (text: string, wide = 30) => Math.min(3, Math.max(1, Math.ceil(text.length / wide)));
  // Numbers stand side by side as far as there is room.
  let lines = 0;
  let left = 0;
  for (const f of c.figures[name === BEGIN ? '' : name] ?? []) {
    const needs = f.text.length * 6 + 12;
    if (needs > left) {
      lines++;
      left = width - 18;
    }
    left -= needs;
  }
  const numbers = lines > 0 ? 9 + lines * 24 : 0;
  if (name === END) return 40;
  if (name === BEGIN) return 44 + rows(c.begins) * 19 + numbers + (c.flaws['']?.bad ? 24 : 0);
  const step = c.draft.steps.find((s) => s.name === name);
  const flaw = c.flaws[name];
  return (
    40 +
    rows(c.titles[name] || name) * 19 +
    (step?.note ? rows(step.note, 36) * 18 : 0) +
    (flaw && flaw.bad + flaw.warn > 0 ? 10 + rows(flaw.first, 36) * 17 : 0) +
    numbers
  );
}

// whole is how a journey is looked at first.
const whole = { minZoom: 1, maxZoom: 1, padding: 0 };

function Flow(c: Canvas) {
  const { language } = useWords();
  const flow = useReactFlow();
  const ways = useMemo(() => allWays(c.draft, c.kinds, language), [c.draft, c.kinds, language]);
  const [nodes, edges, tall] = useMemo(() => {
    const names = [BEGIN, ...c.draft.steps.map((s) => s.name), ...(ways.some((w) => w.to === END) ? [END] : [])];
    const known = new Set(names);
    const drawn = ways.filter((w) => known.has(w.to));
    const { at, labels } = layout(
      names.map((id) => ({
        id,
        height: heightOf(c, id),
        to: drawn.filter((w) => w.from === id).map((w) => ({ to: w.to, label: labelOf(c, w), key: w.key })),
      })),
    );
    const nodes: StepNode[] = names.map((name) => ({
      id: name,
      type: 'step',
      position: at[name] ?? { x: 0, y: 0 },
      data: { name, of: c },
      width,
    }));
    const edges: WayEdge[] = drawn.map((w) => ({
      id: `${w.from} ${w.key}`,
      type: 'way',
      source: w.from,
      target: w.to,
      data: { way: w, label: labelOf(c, w), at: labels[`${w.from} ${w.key}`] },
      className: c.path.length > 0 && !(c.path.includes(w.to) && (w.from === BEGIN || c.path.includes(w.from))) ? 'missed' : '',
    }));
    const tall = Math.max(...names.map((id) => (at[id]?.y ?? 0) + heightOf(c, id))) - Math.min(...names.map((id) => at[id]?.y ?? 0));
    return [nodes, edges, tall];
  }, [c, ways]);
  // The first look shows the whole at full size, in as tall a room as it takes: what can be
  // pressed stays as large as a finger. Later looks are the reader's own.
  const seen = useRef('');
  const counted = Object.keys(c.figures).length > 0;
  useEffect(() => {
    // Numbers come a moment later and make the steps taller.
    const now = counted ? 'with numbers' : 'bare';
    if (seen.current === now || seen.current === 'with numbers' || c.draft.steps.length === 0) return;
    seen.current = now;
    const timer = setTimeout(() => void flow.fitView(whole), 60);
    return () => clearTimeout(timer);
  }, [flow, c.draft.steps.length, counted]);
  // A form beside it takes of the room: what it is about stays in sight.
  const { selected } = c;
  useEffect(() => {
    if (selected === null || !seen.current) return;
    const timer = setTimeout(() => {
      const zoom = flow.getZoom();
      void flow.fitView({ nodes: [{ id: selected }], minZoom: zoom, maxZoom: zoom, duration: 150 });
    }, 60);
    return () => clearTimeout(timer);
  }, [flow, selected]);
  const tried = c.path.length > 0;
  useEffect(() => {
    if (!tried) return;
    const timer = setTimeout(() => void flow.fitView({ ...whole, duration: 150 }), 60);
    return () => clearTimeout(timer);
  }, [flow, tried]);
  return (
    <div className="jroom" style={{ minHeight: tall + 64 }}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        fitView
        fitViewOptions={whole}
        minZoom={0.15}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        onPaneClick={() => c.onSelect(null)}
      >
        <Background gap={22} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function labelOf(c: Canvas, w: Way): string {
  return c.labels[`${w.from} ${w.key}`] ?? w.label;
}

export function FlawTag({ bad, warn }: { bad: number; warn: number }) {
  const { t } = useWords();
  if (bad > 0) return <Tag tone="bad">{t('{n} missing', { n: bad })}</Tag>;
  return warn > 0 ? <Tag tone="warn">{t('{n} to look at', { n: warn })}</Tag> : null;
}
