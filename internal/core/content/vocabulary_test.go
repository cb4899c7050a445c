package content_test

import (
	"testing"

	"rapport/internal/core/content"
)

// frames put a tag into a template that needs nothing else.
var tagFrames = map[string]string{
	"assign": `{% assign x = 1 %}`, "echo": `{% echo "a" %}`, "increment": `{% increment n %}`, "decrement": `{% decrement n %}`, "cycle": `{% cycle "a", "b" %}`,
	"break": `{% for i in (1..2) %}{% break %}{% endfor %}`, "continue": `{% for i in (1..2) %}{% continue %}{% endfor %}`, "liquid": "{% liquid\n echo \"a\"\n%}",
	"render": `{% render "part" %}`, "include": `{% include "part" %}`, "abort": `{% if false %}{% abort "why" %}{% endif %}`,
	"else": `{% if true %}a{% else %}b{% endif %}`, "elsif": `{% if true %}a{% elsif false %}b{% endif %}`, "when": `{% case 1 %}{% when 1 %}a{% endcase %}`,
	"capture": `{% capture x %}a{% endcapture %}`, "if": `{% if true %}a{% endif %}`, "unless": `{% unless true %}a{% endunless %}`,
	"case": `{% case 1 %}{% when 1 %}a{% endcase %}`, "for": `{% for i in (1..2) %}a{% endfor %}`, "tablerow": `{% tablerow i in (1..2) %}a{% endtablerow %}`,
	"ifchanged": `{% ifchanged %}a{% endifchanged %}`, "raw": `{% raw %}a{% endraw %}`, "comment": `{% comment %}a{% endcomment %}`,
}

func TestEveryTagOfTheVocabularyIsOne(t *testing.T) {
	t.Parallel()
	for name, end := range content.Tags() {
		body, ok := tagFrames[name]
		if !ok {
			t.Errorf("the tag %s is not tried", name)
			continue
		}
		_, err := content.Compile("x", content.Sources{Text: body, TextBlocks: content.Blocks{"part": {Body: "a"}}})
		if err != nil {
			t.Errorf("%s (ended by %q): %v", name, end, err)
		}
	}
	if list := content.Filters(); len(list) < 50 || list[0].Name != "abs" {
		t.Errorf("the filters are %v", list)
	}
}
