// How far new definitions have come: until they have been asked of everybody, counts are
// those of the customers whom they have reached.
import { useGet } from '../api';
import { useWords } from '../words';

export function Sweep() {
  const { t, pct } = useWords();
  const stats = useGet('/api/v1/stats', undefined, { refetchInterval: (s) => (s && s.swept < s.sweeping ? 1000 : 10_000) });
  const s = stats.data;
  if (!s || s.swept >= s.sweeping) return null;
  return (
    <div className="note" role="status">
      {t('New definitions have come to {share} of the customers. Who is in which segment is complete when they have come to all.', {
        share: pct(s.swept / s.sweeping),
      })}
    </div>
  );
}
