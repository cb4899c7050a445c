package program

import (
	"path"
	"slices"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/spec"
)

// Locales are the sentences of templates by language. A template has one shape for
// all readers and asks for its sentences by key: {{ "cart.title" | t }}.
type Locales struct {
	home  string // the shop's own
	files map[string]*language
}

// language is one file of locales.
type language struct {
	tag       string
	file      string
	sentences map[string]sentence
}

// sentence is one text, or several for different counts.
type sentence struct {
	pos    spec.Pos
	text   string
	counts map[string]string // by the categories of CLDR; nil if the count does not matter
}

// Limits of the sentences.
const (
	// maxSentence bounds one of them: it is no page.
	maxSentence = 4 << 10
	// maxSentences bounds those of one language.
	maxSentences = 5_000
)

// locales reads the files of sentences.
func (c *compiler) locales() {
	l := &Locales{home: c.p.Locale, files: map[string]*language{}}
	c.p.Locales = l
	for _, f := range c.sentences {
		tag := strings.TrimSuffix(path.Base(f.Path), ".yaml")
		if !validLocale(tag) {
			c.ps.Add(spec.Pos{File: f.Path}, "locales/de.yaml", "%q is not the tag of a language", tag)
			continue
		}
		if other := l.files[strings.ToLower(tag)]; other != nil {
			c.ps.Add(spec.Pos{File: f.Path}, "", "the language %s has two files; the other is %s", tag, other.file)
			continue
		}
		if n, ok := c.document(f); ok {
			lang := &language{tag: tag, file: f.Path, sentences: map[string]sentence{}}
			l.files[strings.ToLower(tag)] = lang
			c.readSentences(lang, "", n)
		}
	}
	home := l.chain("")
	if len(l.files) > 0 && len(home) == 0 {
		c.ps.Add(spec.Pos{File: "locales"}, "locales/"+l.home+".yaml", "there is no file for the shop's own language, in which everybody else is written to")
		return
	}
	// A sentence that a language lacks is read in the shop's own: that is no
	// mistake, but seldom meant. The other way round nobody would read it.
	for _, tag := range sortedKeys(l.files) {
		lang := l.files[tag]
		if slices.Contains(home, lang) {
			continue
		}
		for _, key := range sortedKeys(lang.sentences) {
			if _, _, ok := find(home, key); !ok {
				c.ps.Warn(lang.sentences[key].pos, "", "the sentence %s is not in %s, so only readers of %s could get it", key, home[0].file, lang.tag)
			}
		}
		chain := l.chain(lang.tag)
		for _, own := range home {
			for _, key := range sortedKeys(own.sentences) {
				if in, _, _ := find(chain, key); in == own && base(in.tag) != base(lang.tag) {
					c.ps.Warn(spec.Pos{File: lang.file}, key+": …", "the sentence %s is not in %s, so its readers get it in %s", key, lang.file, in.tag)
				}
			}
		}
	}
}

// base returns the language of a tag without its country.
func base(tag string) string {
	b, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return b
}

// readSentences reads a map of sentences; maps in it add to the key.
func (c *compiler) readSentences(l *language, prefix string, n spec.Node) {
	if n.Kind != spec.Map {
		c.ps.Add(n.Pos, "cart: {title: Your basket}", "a language is a map of keys to sentences")
		return
	}
	for _, f := range n.Fields {
		key := prefix + f.Key
		switch {
		case f.Value.Kind == spec.Map && plural(f.Value):
			s := sentence{pos: f.Pos, counts: map[string]string{}}
			for _, one := range f.Value.Fields {
				if c.sentenceText(one.Value, key) {
					s.counts[one.Key] = one.Value.Text
				}
			}
			if s.text = s.counts["other"]; s.text == "" {
				c.ps.Add(f.Pos, key+": {one: …, other: …}", "the sentence %s has counts and does not say other", key)
			}
			l.sentences[key] = s
		case f.Value.Kind == spec.Map:
			c.readSentences(l, key+".", f.Value)
		case c.sentenceText(f.Value, key):
			l.sentences[key] = sentence{pos: f.Pos, text: f.Value.Text}
		}
		if len(l.sentences) > maxSentences {
			c.ps.Add(f.Pos, "", "%s has more than %d sentences", l.file, maxSentences)
			return
		}
	}
}

func (c *compiler) sentenceText(v spec.Node, key string) bool {
	if !v.Scalar() || strings.TrimSpace(v.Text) == "" || len(v.Text) > maxSentence {
		c.ps.Add(v.Pos, key+": Your basket", "the sentence %s is a text of at most %d characters", key, maxSentence)
		return false
	}
	return true
}

// plural reports whether a map holds one sentence for several counts.
func plural(n spec.Node) bool {
	for _, f := range n.Fields {
		if !slices.Contains(categories, f.Key) {
			return false
		}
	}
	return len(n.Fields) > 0
}

// sentence checks that a template's sentence is there for everybody and gets all
// that it needs.
func (c *compiler) sentence(w content.Word) {
	l := c.p.Locales
	pos := spec.Pos{File: w.Spot.Name, Line: w.Spot.Line}
	home := l.chain("")
	if _, _, ok := find(home, w.Key); !ok {
		file, keys := "locales/"+l.home+".yaml", []string{}
		for _, lang := range home {
			file = lang.file
			keys = append(keys, sortedKeys(lang.sentences)...)
		}
		instead := nearest(w.Key, keys)
		if instead == "" {
			instead = w.Key + ": … in " + file
		}
		c.ps.Add(pos, instead, "there is no sentence %q in %s", w.Key, file)
		return
	}
	for _, tag := range sortedKeys(l.files) {
		s, there := l.files[tag].sentences[w.Key]
		if !there {
			continue
		}
		texts := []string{s.text}
		for _, category := range categories {
			texts = append(texts, s.counts[category])
		}
		if s.counts != nil && !slices.Contains(w.Args, "count") {
			c.ps.Add(pos, `{{ "`+w.Key+`" | t: count: … }}`, "the sentence %s in %s depends on a count", w.Key, l.files[tag].file)
		}
		for _, text := range texts {
			for rest, more := text, true; more; {
				var name string
				if _, name, rest, more = content.Placeholder(rest); more && !slices.Contains(w.Args, name) {
					c.ps.Add(pos, `{{ "`+w.Key+`" | t: `+name+`: … }}`, "the sentence %s in %s needs {%s}", w.Key, l.files[tag].file, name)
				}
			}
		}
	}
}

// chain returns the languages in which a reader's sentences are looked for:
// de-AT, de, then the shop's own. A reader of whom no language is known, or none
// that the shop has, reads the shop's own.
func (l *Locales) chain(locale string) (list []*language) {
	for _, tag := range []string{locale, l.home, "en"} {
		for tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-")); tag != ""; {
			if lang := l.files[tag]; lang != nil && !slices.Contains(list, lang) {
				list = append(list, lang)
			}
			i := strings.LastIndexByte(tag, '-')
			tag = tag[:max(i, 0)]
		}
	}
	return list
}

func find(chain []*language, key string) (*language, sentence, bool) {
	for _, lang := range chain {
		if s, ok := lang.sentences[key]; ok {
			return lang, s, true
		}
	}
	return nil, sentence{}, false
}

// For returns the language in which a reader of the locale is written to, and the
// sentences as [content.Env] wants them. Without any file it is the shop's own
// language.
func (l *Locales) For(locale string) (tag string, words func(key string, count int64, counted bool) (string, bool)) {
	chain := l.chain(locale)
	if len(chain) == 0 {
		return l.home, nil
	}
	return chain[0].tag, func(key string, count int64, counted bool) (string, bool) {
		lang, s, ok := find(chain, key)
		if ok && counted && s.counts != nil {
			if text := s.counts[category(base(lang.tag), count)]; text != "" {
				return text, true
			}
		}
		return s.text, ok
	}
}
