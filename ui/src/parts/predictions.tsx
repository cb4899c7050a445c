// What models say, in words and with the unit of each value.
import { useGet, type Schemas } from '../api';
import { useWords, type Text } from '../words';

type Said = Pick<Schemas['Word'], 'name' | 'label' | 'unit' | 'value'>;

const kinds: Record<string, Text> = {
  champion: 'champion',
  loyal: 'loyal',
  promising: 'promising',
  newcomer: 'newcomer',
  slipping: 'slipping away',
  inactive: 'inactive',
};

// usePredictions returns how a prediction is called and how its value is read.
export function usePredictions() {
  const { t, n, pct, date, money, language } = useWords();
  const program = useGet('/api/v1/program');
  const few = (v: number) => n(Math.round(v * 100) / 100);
  const value = (w: Said): string => {
    const v = w.value;
    if (v === null || v === undefined) return '–';
    if (typeof v === 'number') {
      switch (w.unit) {
        case 'share':
          return pct(v);
        case 'money':
          return money(v, program.data?.currency);
        case 'orders':
          return t('{n} orders', { n: few(v) });
        case 'days':
          return t('{n} days', { n: few(v) });
        case 'times':
          return t('{n} times as often as others', { n: few(v) });
        case 'hour': {
          // 1 January 2024 was a Monday.
          const at = new Date(2024, 0, 1 + Math.floor(v / 24), v % 24);
          const day = new Intl.DateTimeFormat(language === 'de' ? 'de-DE' : 'en-GB', {
            weekday: 'long',
            hour: '2-digit',
            minute: '2-digit',
          });
          return day.format(at);
        }
      }
      return few(v);
    }
    if (typeof v === 'string') {
      if (w.unit === 'date') return date(v);
      const kind = w.unit === 'rfm' ? kinds[v] : undefined;
      return kind ? t(kind) : v;
    }
    return typeof v === 'object' ? JSON.stringify(v) : String(v);
  };
  const name = (w: Said): string => {
    const said = w.label[language];
    return said.charAt(0).toUpperCase() + said.slice(1);
  };
  return { name, value };
}
