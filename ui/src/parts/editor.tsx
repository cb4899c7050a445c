// A code editor. It is loaded with the page that needs it.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { liquid } from '@codemirror/lang-liquid';
import { bracketMatching, defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';

const ground = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--panel)' },
  '&.cm-editor': { maxHeight: '560px', fontSize: '12.5px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', overflow: 'auto' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--soft)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--accent-wash) !important' },
});

const ink = HighlightStyle.define(
  defaultHighlightStyle.specs.map((s) => ({
    tag: s.tag,
    color: s.fontStyle === 'italic' || String(s.color) === '#940' ? 'var(--soft)' : s.color ? 'var(--accent)' : 'inherit',
  })),
);

export function Editor({
  value,
  onChange,
  readOnly,
  label,
}: {
  value: string;
  onChange: (text: string) => void;
  readOnly: boolean;
  label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const first = useRef(value);
  useEffect(() => {
    if (!box.current) return;
    // In a shadow of its own its styles are adopted sheets, which the policy lets
    // through; in the document they would be a style element, which it does not.
    const shade = box.current.shadowRoot ?? box.current.attachShadow({ mode: 'open' });
    const view = new EditorView({
      parent: shade,
      root: shade,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          lineNumbers(),
          history(),
          highlightActiveLine(),
          bracketMatching(),
          liquid(),
          syntaxHighlighting(ink),
          ground,
          EditorView.lineWrapping,
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) change.current(u.state.doc.toString());
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [readOnly, label]);
  return <div className="editor" ref={box} />;
}
