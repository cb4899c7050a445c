// A code editor. It is loaded with the page that needs it.
import { autocompletion, completionKeymap, type Completion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { html } from '@codemirror/lang-html';
import { liquid } from '@codemirror/lang-liquid';
import { bracketMatching, defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, highlightActiveLine, keymap, lineNumbers, tooltips } from '@codemirror/view';
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';
import type { Schemas } from '../api';

const ground = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--panel)' },
  '&.cm-editor': { maxHeight: '620px', fontSize: '12.5px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', overflow: 'auto' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--soft)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--accent-wash) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--text)', border: '1px solid var(--edge)', borderRadius: '7px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-wash)', color: 'var(--accent)' },
  '.cm-completionDetail': { color: 'var(--soft)', fontStyle: 'normal', marginLeft: '1em' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
});

const ink = HighlightStyle.define(
  defaultHighlightStyle.specs.map((s) => ({
    tag: s.tag,
    color: s.fontStyle === 'italic' || String(s.color) === '#940' ? 'var(--soft)' : s.color ? 'var(--accent)' : 'inherit',
  })),
);

export interface Mark {
  line: number;
  text: string;
  warning?: boolean;
}

export interface Place {
  go: (line: number, text?: string) => void;
  insert: (text: string) => void;
}

type Language = Schemas['Language'];

// completions are what Liquid is completed by: what the API says that there is.
function completions(l: Language) {
  const children = new Map<string, Completion[]>();
  for (const v of l.variables ?? []) {
    const parts = v.path.split('.');
    parts.forEach((part, i) => {
      const under = parts.slice(0, i).join('.');
      const list = children.get(under) ?? [];
      if (!list.some((c) => c.label === part)) list.push({ label: part, type: 'variable', detail: i === parts.length - 1 ? v.about : '' });
      children.set(under, list);
    });
  }
  return {
    tags: (l.tags ?? []).flatMap((t) => [t.name, ...(t.end ? [t.end] : [])].map((label) => ({ label, type: 'keyword' }))),
    filters: (l.filters ?? []).map((f) => ({ label: f.name, type: 'function', detail: f.most > 0 ? ': …' : '' })),
    variables: children.get('') ?? [],
    properties: (path: readonly string[]) => children.get(path.join('.')) ?? [],
  };
}

export function Editor({
  value,
  onChange,
  readOnly,
  label,
  language,
  marks,
  place,
}: {
  value: string;
  onChange: (text: string) => void;
  readOnly: boolean;
  label: string;
  language?: Language;
  marks?: Mark[];
  place?: Ref<Place>;
}) {
  const box = useRef<HTMLDivElement>(null);
  const at = useRef<EditorView | null>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const latest = useRef(value);
  useEffect(() => {
    if (!box.current) return;
    // In a shadow of its own its styles are adopted sheets, which the policy lets
    // through; in the document they would be a style element, which it does not.
    const shade = box.current.shadowRoot ?? box.current.attachShadow({ mode: 'open' });
    const view = new EditorView({
      parent: shade,
      root: shade,
      state: EditorState.create({
        doc: latest.current,
        extensions: [
          lineNumbers(),
          history(),
          highlightActiveLine(),
          bracketMatching(),
          liquid({ base: html({ matchClosingTags: false, autoCloseTags: false }), ...(language ? completions(language) : {}) }),
          autocompletion({ icons: false }),
          tooltips({ parent: shade as unknown as HTMLElement }),
          lintGutter(),
          syntaxHighlighting(ink),
          ground,
          EditorView.lineWrapping,
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of((u) => {
            if (!u.docChanged) return;
            latest.current = u.state.doc.toString();
            change.current(latest.current);
          }),
        ],
      }),
    });
    at.current = view;
    return () => {
      at.current = null;
      view.destroy();
    };
  }, [readOnly, label, language]);
  useEffect(() => {
    const view = at.current;
    if (!view || value === latest.current) return;
    latest.current = value;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    const view = at.current;
    if (!view) return;
    const doc = view.state.doc;
    view.dispatch(
      setDiagnostics(
        view.state,
        (marks ?? []).map((m) => {
          const line = doc.line(Math.max(1, Math.min(m.line, doc.lines)));
          return { from: line.from, to: line.to, severity: m.warning ? 'warning' : 'error', message: m.text };
        }),
      ),
    );
  }, [marks, language, readOnly, label]);
  useImperativeHandle(place, () => ({
    go: (line, text) => {
      const view = at.current;
      if (!view) return;
      const found = text ? view.state.doc.toString().indexOf(text) : -1;
      const pos = line > 0 ? view.state.doc.line(Math.min(line, view.state.doc.lines)).from : Math.max(0, found);
      view.dispatch({ selection: { anchor: pos }, effects: EditorView.scrollIntoView(pos, { y: 'center' }) });
      view.focus();
    },
    insert: (text) => {
      const view = at.current;
      if (!view) return;
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
  }));
  return <div className="editor" ref={box} />;
}
