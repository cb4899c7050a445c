// Ready-made segments that a retailer expects, to begin with.
import { useState } from 'react';
import { Page, Tag } from '../parts/kit';
import { useWords, type Text } from '../words';
import data from './segment-library.json';

export const library = data;
type Entry = (typeof data)[number];

const themes: Record<string, Text> = {
  life: 'Life with the shop',
  intent: 'About to buy',
  worth: 'Worth',
  taste: 'Taste and season',
  messages: 'Messages and consent',
};

export function Library({ onPick, onClose }: { onPick: (id: string) => void; onClose: () => void }) {
  const { t, language } = useWords();
  const [text, setText] = useState('');
  const needle = text.trim().toLowerCase();
  const fits = (l: Entry) => !needle || (l.label[language] + ' ' + l.about[language]).toLowerCase().includes(needle);
  const groups = [...new Set(library.map((l) => l.theme))];
  return (
    <Page
      title={t('New segment')}
      about={t('Begin with one that is ready-made and change what you like, or with nothing.')}
      actions={
        <>
          <input
            type="search"
            aria-label={t('Find one that is ready-made')}
            placeholder={t('Find one that is ready-made')}
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
          <button onClick={onClose}>{t('Back')}</button>
          <button className="primary" onClick={() => onPick('-')}>
            {t('Begin with nothing')}
          </button>
        </>
      }
    >
      <div className="stack library">
        {groups.map((g) => {
          const here = library.filter((l) => l.theme === g && fits(l));
          if (here.length === 0) return null;
          return (
            <section key={g} aria-label={themes[g] ? t(themes[g]) : g}>
              <h2>
                {themes[g] ? t(themes[g]) : g} <Tag>{here.length}</Tag>
              </h2>
              <ul className="cards">
                {here.map((l) => (
                  <li key={l.id}>
                    <button onClick={() => onPick(l.id)}>
                      <b>{l.label[language]}</b>
                      <span className="soft small">{l.about[language]}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </div>
    </Page>
  );
}
