// One message, and every rule that was asked about it.
import { Link, useParams } from '@tanstack/react-router';
import { useGet, type Schemas } from '../api';
import { Facts, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { useWords } from '../words';

export function Message() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { t, when } = useWords();
  const d = useGet('/api/v1/deliveries/{id}', { path: { id } });
  return (
    <Page title={t('Message')} about={<span className="mono">{id}</span>}>
      <State of={d}>
        {(m) => (
          <div className="stack">
            <Panel>
              <div className="stack">
                <div>
                  <StateTag state={m.state} /> <b>{m.why || m.reason}</b>
                </div>
                <Facts
                  of={[
                    [
                      t('Customer'),
                      <Link key="c" to="/app/customers/$id" params={{ id: m.customer }}>
                        {m.customer}
                      </Link>,
                    ],
                    [t('Template'), m.template],
                    [t('Wanted by'), `${m.journey} · ${m.step}`],
                    [t('Channel'), `${m.channel} · ${m.purpose} · ${m.class}`],
                    [t('Wanted'), when(m.planned)],
                    [t('State since'), when(m.changed)],
                    [t('Reason given'), m.reason],
                    ...(m.answer ? ([[t('The provider said'), m.answer]] as [string, string][]) : []),
                  ]}
                />
              </div>
            </Panel>
            {m.decision_at_planning && <Rules title={t('Asked when it was wanted')} record={m.decision_at_planning} />}
            {m.decision_at_claim && <Rules title={t('Asked when it was about to leave')} record={m.decision_at_claim} />}
          </div>
        )}
      </State>
    </Page>
  );
}

function Rules({ title, record }: { title: string; record: Schemas['Record'] }) {
  const { t, when } = useWords();
  return (
    <Panel title={title} aside={<span className="soft small">{when(record.now)}</span>} flush>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>{t('Rule')}</th>
              <th>{t('Verdict')}</th>
              <th>{t('What it saw')}</th>
            </tr>
          </thead>
          <tbody>
            {(record.checks ?? []).map((c, i) => (
              <tr key={i}>
                <td>{c.name}</td>
                <td>
                  <Tag tone={c.pass ? 'good' : 'bad'}>{c.pass ? t('lets through') : t('holds back')}</Tag>
                </td>
                <td className="soft">
                  {[c.text, c.other, c.got !== undefined && c.limit ? `${c.got} / ${c.limit}` : '', c.at ? when(c.at) : '']
                    .filter(Boolean)
                    .join(' · ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
