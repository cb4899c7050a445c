package program_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
	"testing/fstest"

	"rapport/internal/fault"
	"rapport/internal/program"
)

const grid = `---
subject: For you
---
<mj-section>
  <mj-raw>{% for p in trigger.products %}</mj-raw>
  <mj-column width="50%"><mj-text>{{ p.name }}</mj-text></mj-column>
  <mj-raw>{% endfor %}</mj-raw>
</mj-section>
`

const frame = `<mjml>
  <mj-body>
{{ content }}
    <mj-section><mj-column><mj-text>{{ shop.postal }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
`

func TestMJMLBecomesTheHTMLOfAMessage(t *testing.T) {
	t.Parallel()
	list := problems(t, map[string]string{"templates/hello.html.liquid": "", "templates/hello.txt.liquid": "", "templates/hello.mjml": grid, "layouts/default.mjml": frame})
	if len(list) > 0 {
		t.Errorf("problems = %q", list)
	}
}

func TestAMistakeInMJMLIsToldWhereItStands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change map[string]string
		want   string
	}{
		{"an element that does not exist", map[string]string{"templates/hello.mjml": strings.Replace(grid, "mj-text", "mj-txt", 1)}, "templates/hello.mjml:6: "},
		{"Liquid that is none", map[string]string{"templates/hello.mjml": strings.Replace(grid, "p.name", "p.name | shout", 1)}, "templates/hello.mjml:6: "},
		{"a variable that there is not", map[string]string{"templates/hello.mjml": strings.Replace(grid, "p.name", "custmer.name", 1)}, "templates/hello.mjml:6: "},
		{"Liquid that would be lost", map[string]string{"templates/hello.mjml": strings.ReplaceAll(strings.ReplaceAll(grid, "<mj-raw>", ""), "</mj-raw>", "")}, "templates/hello.mjml:5: MJML drops text that stands here"},
		{"in the layout before", map[string]string{"layouts/default.mjml": strings.Replace(frame, "<mj-body>", "<mj-body colour=\"red\">", 1)}, "layouts/default.mjml:2: "},
		{"in the layout behind", map[string]string{"layouts/default.mjml": strings.Replace(frame, "shop.postal", "shop.pstal", 1)}, "layouts/default.mjml:4: "},
		{"no layout", map[string]string{"layouts/default.mjml": ""}, "templates/hello.mjml:4: this is no whole MJML document"},
		{"a layout without a place", map[string]string{"layouts/default.mjml": "<mjml><mj-body></mj-body></mjml>"}, "layouts/default.mjml:1: a layout has the message in it exactly once"},
		{"two of a name", map[string]string{"templates/hello.html.liquid": "---\nsubject: x\n---\nx"}, "are both the HTML of hello"},
		{"a picture without words", map[string]string{"templates/hello.mjml": strings.Replace(grid, "<mj-text>", "<mj-image src=\"https://x.example/\"/><mj-text>", 1)}, "templates/hello.mjml:6: the picture of <mj-image> has no words"},
	} {
		change := map[string]string{"templates/hello.html.liquid": "", "templates/hello.txt.liquid": "", "templates/hello.mjml": grid, "layouts/default.mjml": frame}
		for name, body := range c.change {
			change[name] = body
		}
		list := problems(t, change)
		if !strings.Contains(strings.Join(list, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", c.name, list, c.want)
		}
	}
}

func TestAPictureHasWordsForThoseWhoDoNotSeeIt(t *testing.T) {
	t.Parallel()
	const ok, bad = `<img src="https://x.example/a.png" alt="A lamp">`, `<img src="https://x.example/a.png">`
	page := func(img string) map[string]string {
		return map[string]string{"templates/hello.html.liquid": "---\nsubject: x\n---\n<p>\n" + img + "</p>{{ unsubscribe_url }}{{ shop.postal }}", "templates/hello.txt.liquid": ""}
	}
	for img, want := range map[string]string{
		ok: "", `<img alt="" src="https://x.example/a.png">`: "", `<IMG alt='{{ shop.name }}' src="https://x.example/a.png"/>`: "",
		bad: "templates/hello.html.liquid:5: the picture has no words", `<img src="https://x.example/a.png" data-x="{{ 'alt=' }}">`: ":5: the picture has no words",
		`<!-- ` + bad + ` -->`: "",
	} {
		list := strings.Join(problems(t, page(img)), "\n")
		if want == "" && list != "" || !strings.Contains(list, want) {
			t.Errorf("%s: %q, want %q", img, list, want)
		}
	}
}

func pngOf(t *testing.T, w int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, 10))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPicturesAreNamedByTheirFileAndServedByTheirContent(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{"pictures/lamp.png": {Data: pngOf(t, 2000)}}
	for name, body := range files(map[string]string{
		"templates/hello.txt.liquid":  "",
		"templates/hello.html.liquid": "---\nsubject: x\n---\n" + `<img src="pictures/lamp.png" width="240" alt="Lamp"><img src="pictures/thumb/lamp.png" alt=""><table background="pictures/lamp.png"></table>{{ unsubscribe_url }}{{ shop.postal }}`,
	}) {
		folder[body.Path] = &fstest.MapFile{Data: []byte(body.Body)}
		_ = name
	}
	src, err := program.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	p, found := program.Compile(src, program.Options{Workspace: "test"})
	if p == nil {
		t.Fatal(found)
	}
	info, there := p.Pictures["lamp.png"]
	if !there || info.Width != 2000 {
		t.Fatalf("pictures = %v", p.Pictures)
	}
	body, _ := src.File("pictures/lamp.png")
	if len(body) > 100 {
		t.Error("the definitions hold the picture itself")
	}
	for name, want := range map[string]string{
		"pictures/lmp.png": "(write: lamp.png)", "pictures/large/lamp.png": "there is no size \"large\"", "pictures/nothing-like-it.jpg": "a file pictures/nothing-like-it.jpg",
	} {
		folder["templates/hello.html.liquid"] = &fstest.MapFile{Data: []byte("---\nsubject: x\n---\n\n<img alt='' src='" + name + "'>{{ unsubscribe_url }}{{ shop.postal }}")}
		src, err := program.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		p, found := program.Compile(src, program.Options{Workspace: "test"})
		if p != nil || len(found) == 0 || !strings.Contains(found[0].Error(), want) || found[0].Pos.Line != 5 {
			t.Errorf("%s: %v, want %q in line 5", name, found, want)
		}
	}
	for name, body := range map[string]string{"pictures/logo.svg": "<svg xmlns=\"x\"/>", "pictures/lamp.png": "no picture", "pictures/x.heic": "x"} {
		folder := fstest.MapFS{"shop.yaml": {Data: []byte("name: x")}, name: {Data: []byte(body)}}
		if _, err := program.Read(folder); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}
