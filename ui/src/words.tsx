// The catalogue of words. What stands in the code is English; de.ts has the German
// of each, and the compiler knows a text that it does not have.
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';
import { de } from './de';

export type Text = keyof typeof de;
// silence is what a server says that sends nothing.
export const silence: Text =
  'Nothing is sent: the data directory may be a copy of another. If no other server uses it, start this one with --adopt.';
export type Language = 'en' | 'de';
export type Theme = 'auto' | 'light' | 'dark';

interface Words {
  language: Language;
  setLanguage: (l: Language) => void;
  theme: Theme;
  setTheme: (t: Theme) => void;
  t: (text: Text, vars?: Record<string, string | number>) => string;
  n: (n: number | undefined) => string;
  pct: (n: number | undefined) => string;
  date: (at: string | number | Date | undefined | null) => string;
  when: (at: string | number | Date | undefined | null) => string;
  money: (amount: number | string, currency?: string) => string;
}

const Context = createContext<Words | null>(null);

function stored<T extends string>(key: string, known: readonly T[], otherwise: T): T {
  const v = localStorage.getItem(key) as T | null;
  return v && known.includes(v) ? v : otherwise;
}

export function fill(text: string, vars?: Record<string, string | number>): string {
  return vars ? text.replace(/\{(\w+)\}/g, (all, name: string) => String(vars[name] ?? all)) : text;
}

export function WordsProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() =>
    stored('rapport.language', ['en', 'de'], navigator.language.startsWith('de') ? 'de' : 'en'),
  );
  const [theme, setTheme] = useState<Theme>(() => stored('rapport.theme', ['auto', 'light', 'dark'], 'auto'));
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
  const words = useMemo<Words>(() => {
    const tag = language === 'de' ? 'de-DE' : 'en-GB';
    const number = new Intl.NumberFormat(tag);
    const percent = new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 1 });
    const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric' });
    const minute = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
    const on = (f: Intl.DateTimeFormat) => (at: string | number | Date | undefined | null) => (at ? f.format(new Date(at)) : '–');
    return {
      language,
      setLanguage: (l) => {
        localStorage.setItem('rapport.language', l);
        setLanguage(l);
      },
      theme,
      setTheme: (v) => {
        localStorage.setItem('rapport.theme', v);
        setTheme(v);
      },
      t: (text, vars) => fill(language === 'de' ? de[text] : text, vars),
      n: (v) => (v === undefined ? '–' : number.format(v)),
      pct: (v) => (v === undefined || Number.isNaN(v) ? '–' : percent.format(v)),
      date: on(day),
      when: on(minute),
      money: (amount, currency) =>
        new Intl.NumberFormat(
          tag,
          currency ? { style: 'currency', currency, maximumFractionDigits: 0 } : { maximumFractionDigits: 0 },
        ).format(Number(amount)),
    };
  }, [language, theme]);
  return <Context.Provider value={words}>{children}</Context.Provider>;
}

export function useWords(): Words {
  const w = useContext(Context);
  if (!w) throw new Error('no words around this part');
  return w;
}
