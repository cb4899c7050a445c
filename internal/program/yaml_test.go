package program_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"rapport/internal/core/spec"
	"rapport/internal/program"
)

// parse returns the documents and the problems as text.
func parse(t *testing.T, body string) ([]spec.Node, []string) {
	t.Helper()
	var ps spec.Problems
	docs := program.ParseYAML("f.yaml", 1, body, &ps)
	var list []string
	for _, p := range ps.All() {
		list = append(list, p.Error())
	}
	return docs, list
}

func TestEveryValueKnowsWhereItStands(t *testing.T) {
	t.Parallel()
	docs, wrong := parse(t, "a: 1\nb:\n  - c\n  - {d: true, e: \"f: g\"}\nh: |\n  two\n  lines\ni: ~\nj: 2026-03-01\nk: yes\nl: 1_000\nm: !!str 7\n")
	if len(wrong) > 0 || len(docs) != 1 {
		t.Fatalf("problems %v, %d documents", wrong, len(docs))
	}
	var walk func(n spec.Node, path string, out map[string]string)
	walk = func(n spec.Node, path string, out map[string]string) {
		out[path] = n.Pos.String() + " " + strconv.Itoa(int(n.Kind)) + " " + n.Text
		for i, item := range n.Items {
			walk(item, path+"["+strconv.Itoa(i)+"]", out)
		}
		for _, f := range n.Fields {
			walk(f.Value, path+"."+f.Key, out)
		}
	}
	got := map[string]string{}
	walk(docs[0], "", got)
	for path, want := range map[string]string{
		"": "f.yaml:1:1 5 ", ".a": "f.yaml:1:4 2 1", ".b[0]": "f.yaml:3:5 3 c", ".b[1]": "f.yaml:4:5 5 ", ".b[1].d": "f.yaml:4:9 1 true",
		".b[1].e": "f.yaml:4:18 3 f: g", ".h": "f.yaml:5:4 3 two\nlines\n", ".i": "f.yaml:8:4 0 ", ".j": "f.yaml:9:4 3 2026-03-01",
		".k": "f.yaml:10:4 3 yes", ".l": "f.yaml:11:4 2 1000", ".m": "f.yaml:12:9 3 7",
	} {
		if got[path] != want {
			t.Errorf("%s = %q, want %q", path, got[path], want)
		}
	}
}

func TestADocumentInTheMiddleOfAFileCountsItsLinesFromThere(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	program.ParseYAML("f.liquid", 5, "a: 1\nb: [", &ps)
	if len(ps.All()) != 1 || ps.All()[0].Where != "f.liquid:6:4" {
		t.Errorf("problems = %v", ps.All())
	}
	ps = spec.Problems{}
	docs := program.ParseYAML("f.liquid", 5, "a: 1\nb: 2", &ps)
	if b, _ := docs[0].Get("b"); b.Pos.Line != 6 {
		t.Errorf("b stands in line %d, want 6", b.Pos.Line)
	}
}

func TestWhatIsNotYAMLIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"a tab for indentation", "a:\n\tb: 1\n", "f.yaml:2:1: the line begins with a tab; YAML is indented with spaces (write: two spaces for each level)"},
		{"a comparison without quotes", "times: >= 3\n", "f.yaml:1:8: a text that begins with > or | stands in quotes (write: \">= 3\")"},
		{"a key twice", "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: \"a\" is written twice; the first stands in line 1"},
		{"a key twice in a flow map", "x: {a: 1, a: 2}\n", "f.yaml:1:11: \"a\" is written twice; the first stands in line 1"},
		{"an unclosed list", "a: [1, 2\n", "f.yaml:1:4: the list is not closed (write: ])"},
		{"an unclosed quote", "a: 'x\n", "f.yaml:1:4: the quotes are not closed (write: a closing quote)"},
		{"a colon in a text", "a: b: c\n", "f.yaml:1:4: a second “: ” on one line, or a line that is indented further than the one above it"},
		{"an at sign", "a: @home\n", "f.yaml:1:4: a text that begins with @ or ` stands in quotes (write: \"@home\")"},
		{"infinity", "a: .inf\n", "f.yaml:1:4: \".inf\" is no number that can be counted with (write: a number, or quotes around a text)"},
		{"a tag of a programming language", "a: !!python/object x\n", "f.yaml:1:4: the tag !!python/object means nothing here (write: the value alone)"},
		{"a list as a key", "? [a, b]\n: 1\n", "f.yaml:2:1: a key is a text, and this is none (write: a word)"},
		{"an alias of nothing", "a: *b\n", "f.yaml:1:4: nothing above is called &b (write: &b above it)"},
		{"an alias within itself", "a: &b [1, *b]\n", "f.yaml:1:11: *b stands within what it stands for"},
		{"bytes that are no text", "a: \xff\n", "f.yaml:1:4: the file holds bytes that are no text (write: save the file as UTF-8 text)"},
		{"a control character", "a: 1\nb: \x00\n", "f.yaml:2:4: the file holds bytes that are no text (write: save the file as UTF-8 text)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, wrong := parse(t, c.body)
			if len(wrong) != 1 || !strings.HasPrefix(wrong[0], c.want) {
				t.Errorf("problems = %q, want one that begins with %q", wrong, c.want)
			}
		})
	}
}

func TestEveryDuplicateIsReportedNotOnlyTheFirst(t *testing.T) {
	t.Parallel()
	_, wrong := parse(t, "a: 1\na: 2\nb: {c: 1, c: 2}\n")
	if len(wrong) != 2 {
		t.Errorf("problems = %q, want two", wrong)
	}
}

func TestAliasesAndMergesBringInWhatTheyName(t *testing.T) {
	t.Parallel()
	docs, wrong := parse(t, "base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nsame: *b\n")
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	own, _ := docs[0].Get("own")
	x, _ := own.Get("x")
	y, _ := own.Get("y")
	same, _ := docs[0].Get("same")
	if x.Text != "1" || y.Text != "3" || len(same.Fields) != 2 {
		t.Errorf("own = %v, same = %v", own, same)
	}
}

func TestAFileMayHoldSeveralDocuments(t *testing.T) {
	t.Parallel()
	docs, wrong := parse(t, "\ufeffa: 1\r\n---\r\nb: 2\r\n---\n# nothing\n")
	if len(wrong) > 0 || len(docs) != 2 || docs[1].Fields[0].Pos.Line != 3 {
		t.Errorf("documents = %v, problems = %v", docs, wrong)
	}
}

func TestABillionLaughsAreNotLaughedAt(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for i := 1; i < 10; i++ {
		n, m := strconv.Itoa(i), strconv.Itoa(i-1)
		b.WriteString("l" + n + ": &l" + n + " [" + strings.TrimSuffix(strings.Repeat("*l"+m+", ", 9), ", ") + "]\n")
	}
	docs, wrong := parse(t, b.String())
	if len(wrong) != 1 || !strings.Contains(wrong[0], "more than 50000 values") {
		t.Fatalf("problems = %q", wrong)
	}
	var count func(n spec.Node) int
	count = func(n spec.Node) int {
		total := 1
		for _, item := range n.Items {
			total += count(item)
		}
		for _, f := range n.Fields {
			total += count(f.Value)
		}
		return total
	}
	if n := count(docs[0]); n > program.MaxNodes+100 {
		t.Errorf("the tree stands for %d values", n)
	}
}

func TestNestingWithoutEndDoesNotReachTheParser(t *testing.T) {
	t.Parallel()
	const deep = 100_000
	for name, body := range map[string]string{
		"lists": strings.Repeat("[", deep), "maps": strings.Repeat("{a: ", deep), "dashes": strings.Repeat("- ", deep),
		"questions": strings.Repeat("? ", deep), "tags": "a: " + strings.Repeat("!!str ", deep), "anchors": "a: " + strings.Repeat("&a ", deep),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, wrong := parse(t, body); len(wrong) != 1 {
				t.Errorf("%d problems", len(wrong))
			}
		})
	}
	block := ""
	for i := range 80 {
		block += strings.Repeat(" ", i) + "a:\n"
	}
	if _, wrong := parse(t, block); !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, "deeper in each other than 64") }) {
		t.Errorf("problems = %q", wrong)
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, s := range []string{"a: 1", "- [b, {c: &d e}]\n- *d", "<<: {a: b}", "? k\n: v", "a: |\n x", "---\n...\n---\na: !!str 1", "\ta", "a: >= 3", "{", "&a &b c", "!<x> y", "? ? a", "*a : b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var ps spec.Problems
		docs := program.ParseYAML("f.yaml", 1, body, &ps)
		for _, d := range docs {
			if d.Pos.Line < 1 {
				t.Errorf("a document stands nowhere: %+v", d)
			}
		}
	})
}
