// Package page draws what people who run a shop see: it turns plain views into
// HTML.
//
// A view is a struct of texts that are ready to read; what they mean was decided
// by whoever made it. Templates see views and nothing else, so no page can reach
// into the core, and every field of every view may hold a stranger's text: it is
// escaped for the place where it stands. The pages need no script and no inline
// style, which lets the policy of package admin forbid both.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
)

//go:embed templates
var files embed.FS

//go:embed style.css
var style []byte

var pages = template.Must(template.ParseFS(files, "templates/*.html"))

// Style returns the one style sheet and the name that it has on every page. The
// name changes with its text, so that a browser may keep it for ever.
func Style() (name string, css []byte) { return styleName, style }

var styleName = func() string {
	sum := sha256.Sum256(style)
	return "style-" + hex.EncodeToString(sum[:6]) + ".css"
}()

// View is a page that can be drawn.
type View interface {
	template() string
	frame() *Frame
}

// Render returns the page as HTML. It is made in memory first, so that a mistake
// in it cannot leave half a page behind a 200.
func Render(v View) ([]byte, error) {
	f := v.frame()
	f.Style = styleName
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, v.template(), v); err != nil {
		return nil, fmt.Errorf("drawing the page %s: %w", v.template(), err)
	}
	return b.Bytes(), nil
}
