// One journey: its steps on a canvas, and the same as a list for the keyboard.
import { Link, useParams } from '@tanstack/react-router';
import { Background, Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useMemo, useState } from 'react';
import { get, useGet, type Schemas } from '../api';
import { Ask, Empty, Kpi, Page, Panel, State } from '../parts/kit';
import { layout, type Box } from '../parts/layout';
import { usePages } from '../parts/pages';
import { useWords } from '../words';

type Shown = Schemas['JourneyShown'];
type Figures = { sent: number; clicked: number; orders: number } | undefined;
type StepNode = Node<{ title: string; kind: string; figures: Figures }, 'step'>;

const begin = '▸begin';
const end = '▸end';

function boxes(j: Shown): Box[] {
  const steps = j.steps ?? [];
  const list: Box[] = [{ id: begin, to: steps[0] ? [{ to: steps[0].name, label: '' }] : [] }];
  for (const s of steps) list.push({ id: s.name, to: (s.next ?? []).map((e) => ({ to: e.to || end, label: e.when ?? '' })) });
  if (list.some((b) => b.to.some((e) => e.to === end))) list.push({ id: end, to: [] });
  return list;
}

function Step({ data }: NodeProps<StepNode>) {
  const { t, n } = useWords();
  return (
    <div className={'step' + (data.kind === '' ? ' trigger' : '')}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      {data.kind && <div className="kind">{data.kind}</div>}
      <b>{data.title}</b>
      {data.figures && (
        <div className="nums">
          <span>{t('{n} sent', { n: n(data.figures.sent) })}</span>
          <span>{t('{n} clicked', { n: n(data.figures.clicked) })}</span>
          <span>{t('{n} orders', { n: n(data.figures.orders) })}</span>
        </div>
      )}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

const kinds = { step: Step };

export function Journey() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t, n, pct } = useWords();
  const j = useGet('/api/v1/journeys/{name}', { path: { name } });
  const messages = useGet('/api/v1/reports/messages', { query: { limit: 500 } }, { retry: false });
  const [who, setWho] = useState<string | null>(null);
  const figures = useMemo(() => {
    const by: Record<string, NonNullable<Figures>> = {};
    for (const r of messages.data?.messages?.rows ?? [])
      if (r.origin === name) by[r.step] = { sent: r.sent, clicked: r.clicked, orders: r.orders };
    return by;
  }, [messages.data, name]);
  return (
    <Page title={j.data?.title || name} about={j.data?.audience && t('for who {audience}', { audience: j.data.audience })}>
      <State of={j}>
        {(one) => (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Inside now')} value={n(one.inside)} />
              <Kpi label={t('Sent')} value={n(one.messages['accepted'] ?? 0)} />
              <Kpi label={t('Held out')} value={pct(one.holdout)} />
            </div>
            <Panel title={t('Steps')} flush>
              <Canvas j={one} figures={figures} onStep={setWho} />
            </Panel>
            <Panel title={t('The same as a list')} flush>
              <ul className="plain lines">
                {(one.triggers ?? []).map((x) => (
                  <li key={x}>
                    <span className="soft">{t('Begins when')}</span> {x}
                  </li>
                ))}
                {(one.steps ?? []).map((s) => (
                  <li key={s.name} className="spread">
                    <div>
                      <b>{s.title || s.name}</b> <span className="soft">{s.kind}</span>
                      <div className="soft small">
                        {(s.next ?? []).map((e) => `${e.when ? e.when + ' → ' : '→ '}${e.to || t('the end')}`).join(' · ')}
                      </div>
                    </div>
                    {figures[s.name] && (
                      <button className="link" onClick={() => setWho(s.name)}>
                        {t('{n} sent', { n: n(figures[s.name]?.sent) })}
                      </button>
                    )}
                  </li>
                ))}
                {(one.exits ?? []).map((x) => (
                  <li key={'x' + x}>
                    <span className="soft">{t('Leaves when')}</span> {x}
                  </li>
                ))}
                {(one.goals ?? []).map((x) => (
                  <li key={'g' + x}>
                    <span className="soft">{t('Goal')}</span> {x}
                  </li>
                ))}
              </ul>
            </Panel>
          </div>
        )}
      </State>
      <Ask open={who !== null} onClose={() => setWho(null)} title={t('Who got it')}>
        {who !== null && <People journey={name} step={who} />}
        <button onClick={() => setWho(null)}>{t('Close')}</button>
      </Ask>
    </Page>
  );
}

function Canvas({ j, figures, onStep }: { j: Shown; figures: Record<string, NonNullable<Figures>>; onStep: (name: string) => void }) {
  const { t } = useWords();
  const [nodes, edges] = useMemo(() => {
    const list = boxes(j);
    const at = layout(list);
    const step = (id: string) => (j.steps ?? []).find((s) => s.name === id);
    const title = (id: string) => (id === begin ? (j.triggers ?? []).join('; ') : id === end ? t('The end') : step(id)?.title || id);
    const nodes: StepNode[] = list.map((b) => ({
      id: b.id,
      type: 'step',
      position: at[b.id] ?? { x: 0, y: 0 },
      data: { title: title(b.id), kind: step(b.id)?.kind ?? '', figures: figures[b.id] },
    }));
    const edges: Edge[] = list.flatMap((b) =>
      b.to.map((e, i) => ({ id: `${b.id}-${e.to}-${i}`, source: b.id, target: e.to, label: e.label, type: 'smoothstep' })),
    );
    return [nodes, edges];
  }, [j, figures, t]);
  return (
    <div className="canvas">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={kinds}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.12 }}
        minZoom={0.2}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        onNodeClick={(_, node) => figures[node.id] && onStep(node.id)}
        proOptions={{ hideAttribution: false }}
      >
        <Background gap={22} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function People({ journey, step }: { journey: string; step: string }) {
  const { t } = useWords();
  const list = usePages<string>(['who', journey, step], async (cursor) => {
    const r = await get('/api/v1/reports/messages', { query: { who: 'sent', key: `${journey}/${step}`, limit: 100, cursor } });
    return r.people ?? { data: [] };
  });
  return (
    <State of={list}>
      {(ids) => (
        <div className="scroll" style={{ maxHeight: 320 }}>
          {ids.length === 0 && <Empty>{t('Nobody.')}</Empty>}
          <ul className="plain">
            {ids.map((id) => (
              <li key={id}>
                <Link to="/app/customers/$id" params={{ id }} className="mono">
                  {id}
                </Link>
              </li>
            ))}
          </ul>
          {!list.whole && (
            <button className="link" onClick={list.more}>
              {t('More')}
            </button>
          )}
        </div>
      )}
    </State>
  );
}
