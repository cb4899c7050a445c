package content

import (
	"bytes"
	"slices"
	"strings"
)

// Links returns finished HTML with the addresses of its links replaced by what
// rewrite makes of them. Only links with http or https are asked about; those in
// keep, such as the way out, are left alone, and so is everything that is no
// link: pictures, styles, comments. Rewrite gets the address as a browser would
// follow it and may return it unchanged.
func Links(html string, rewrite func(url string) string, keep ...string) string {
	var b strings.Builder
	var attrs []attribute
	done := 0
	for i := 0; ; {
		e, ok := nextTag(html, i, nil)
		if !ok {
			break
		}
		i = e.end
		if !e.closing && rawText[e.name] {
			if n := behindTag(html[i:], e.name); n >= 0 {
				i += n
			}
			continue
		}
		if e.closing || e.name != "a" && e.name != "area" {
			continue
		}
		e, _ = readTag(html, e.start, &attrs)
		for _, a := range e.attrs {
			url := strings.Trim(a.value, " \t\r\n")
			if a.name != "href" || !hasPrefixFold(url, "http://") && !hasPrefixFold(url, "https://") || slices.Contains(keep, url) {
				continue
			}
			if to := rewrite(url); to != url {
				b.WriteString(html[done:a.start])
				b.Write(appendHTML(nil, percent(to)))
				done = a.end
			}
			break // a browser follows the first href
		}
	}
	if done == 0 {
		return html
	}
	b.WriteString(html[done:])
	return b.String()
}

// Pixel returns finished HTML with a picture of one dot at its end, whose
// fetching tells of the opening.
func Pixel(html, url string) string {
	return insertEnd(html, `<img src="`+string(appendHTML(nil, percent(url)))+`" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">`)
}

// Trap returns finished HTML with a link at its end that no person sees: whoever
// follows it is a machine.
func Trap(html, url string) string {
	return insertEnd(html, `<a href="`+string(appendHTML(nil, percent(url)))+`" style="display:none" tabindex="-1" aria-hidden="true"></a>`)
}

// insertEnd puts markup before the end of the body, or at the end if it has none.
func insertEnd(html, markup string) string {
	at := len(html)
	for i := len(html) - len("</body"); i >= 0; i-- {
		if html[i] == '<' && hasPrefixFold(html[i:], "</body") {
			at = i
			break
		}
	}
	return html[:at] + markup + html[at:]
}

// bodyStart returns the place behind the opening of the body; 0 if there is none.
func bodyStart(html []byte) int {
	// Nearly always the first that looks like it is it: what could hide one is a
	// comment, and the text of a style or title.
	if i := bytes.Index(html, []byte("<body")); i >= 0 && i+5 < len(html) && (html[i+5] == '>' || space(html[i+5])) {
		head := html[:i]
		if bytes.Count(head, []byte("<!--")) == bytes.Count(head, []byte("-->")) && !bytes.Contains(head, []byte("<!-->")) {
			for j, quoted := i+5, byte(0); j < len(html); j++ {
				switch c := html[j]; {
				case quoted != 0 && c == quoted:
					quoted = 0
				case quoted != 0:
				case c == '"' || c == '\'':
					quoted = c
				case c == '>':
					return j + 1
				}
			}
		}
	}
	for i, s := 0, string(html); ; {
		e, ok := nextTag(s, i, nil)
		if !ok {
			return 0
		}
		if e.name == "body" && !e.closing {
			return e.end
		}
		i = e.end
	}
}
