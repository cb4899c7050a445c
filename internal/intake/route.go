package intake

import (
	"net/http"
	"slices"
	"strings"

	"rapport/internal/core/event"
)

// route is what a path says about the body behind it.
type route struct {
	kind   routeKind
	typ    event.Type   // of the one message; zero: it says itself
	origin event.Origin // of what is sent there
}

type routeKind uint8

const (
	single   routeKind = iota // one message
	batch                     // {"batch": […]}
	metrics                   // what an SDK counts about itself: answered, not kept
	settings                  // how an SDK is to behave
)

// routes are the paths by which SDKs send, without the slash at their end. The
// one-letter forms are those of the browser SDK.
var routes = func() map[string]route {
	all := map[string]route{
		"/v1/batch":  {kind: batch},
		"/v1/b":      {kind: batch},
		"/v1/import": {kind: batch, origin: event.Import},
		"/v1/m":      {kind: metrics},

		"/api/s/batch":     {kind: batch},
		"/api/s/s2s/batch": {kind: batch},
		// RudderStack's browser SDK asks for this before it sends anything.
		"/sourceConfig": {kind: settings},
	}
	for t := event.Track; t <= event.Alias; t++ {
		name := t.String()
		all["/v1/"+name] = route{typ: t}
		all["/v1/"+name[:1]] = route{typ: t}
		for _, jitsu := range [...]string{"/api/s/", "/api/s/s2s/"} {
			all[jitsu+name] = route{typ: t}
		}
	}
	return all
}()

const (
	projectsPrefix = "/v1/projects/"
	settingsSuffix = "/settings"
)

// routeOf returns the route of a path, and for Segment's settings the key that
// is in it.
func routeOf(path string) (r route, key string, ok bool) {
	path = strings.TrimSuffix(path, "/")
	if r, ok = routes[path]; ok {
		return r, "", true
	}
	if rest, found := strings.CutPrefix(path, projectsPrefix); found {
		if key, found = strings.CutSuffix(rest, settingsSuffix); found && key != "" && !strings.Contains(key, "/") {
			return route{kind: settings}, key, true
		}
	}
	return route{}, "", false
}

// Patterns returns the patterns under which a [Server] is to be mounted on an
// [http.ServeMux], so that it does not get in the way of other paths under /v1.
func Patterns() []string {
	list := []string{projectsPrefix + "{key}" + settingsSuffix}
	for path := range routes {
		list = append(list, path, path+"/{$}")
	}
	slices.Sort(list)
	return list
}

// allowedHeaders are those that the SDKs of Segment, RudderStack and Jitsu set
// in browsers.
const allowedHeaders = "authorization, content-type, content-encoding, anonymousid, sentat, x-write-key, x-retry-count"

// cors lets pages of every origin send. That is the purpose of a public write
// key, and safe: nothing here believes a cookie, and nothing about a customer
// can be read. Credentials are allowed because RudderStack's and Jitsu's SDKs
// send with them, and a browser then wants to see its own origin repeated.
func cors(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "Retry-After")
}

// preflight answers a browser that asks whether it may send.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", "86400") // browsers cap it; asking less often spares every page a round trip
	w.WriteHeader(http.StatusNoContent)
}
