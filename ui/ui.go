// Package ui is the web UI, built: one app over the management API that go:embed
// puts into the binary, so that go build alone makes the whole product. make ui
// builds it anew from the sources beside this file, and CI fails if that changes
// anything.
//
// Every page of the app is the same document; which one is shown the browser works
// out from the address. It loads nothing from elsewhere, and its policy lets
// nothing else through: no script and no style that stands in a document, no frame
// but previews of our own, no connection but to this server.
package ui

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed dist
var built embed.FS

// Assets is the path below which the parts of the app are.
const Assets = "/ui/"

// Paths are the addresses of the app's pages; one that ends in a slash has others
// below it.
var Paths = []string{"/{$}", "/app/", "/setup", "/join"}

// Policy is what browsers let the app do.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self' blob:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Handler serves the app, to be mounted at [Paths] and [Assets].
func Handler() http.Handler {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // unreachable: the folder is embedded
	}
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		panic(err) // unreachable: without it the package would be of no use
	}
	assets := http.StripPrefix(strings.TrimSuffix(Assets, "/"), http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "interest-cohort=(), browsing-topics=()")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the pages are read; what changes something is the API's", http.StatusMethodNotAllowed)
			return
		}
		if name, below := strings.CutPrefix(r.URL.Path, Assets); below {
			if strings.HasSuffix(name, "/") || name == "" {
				http.NotFound(w, r) // no list of files
				return
			}
			if strings.HasPrefix(path.Clean(name), "assets/") { // their names change with their contents
				h.Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			assets.ServeHTTP(w, r)
			return
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		w.Write(index) //nolint:errcheck // who is gone cannot be told
	})
}
