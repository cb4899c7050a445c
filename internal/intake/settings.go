package intake

import (
	"net/http"
	"net/url"
	"strings"

	"rapport/internal/fault"
	"rapport/internal/keys"
)

// errNoSource is the answer to a key in a path that is not a write key.
var errNoSource = fault.New(fault.NotFound, "there is no source with this write key")

// object is a JSON object with keys of other products' choosing.
type object = map[string]any

// segmentSettings answers Segment's browser SDK, which asks how to behave before
// it sends anything. Where to send is the only thing that we say: everything it
// could load beside would come from another company's servers.
func (s *Server) segmentSettings(w http.ResponseWriter, r *http.Request, text string) error {
	key, ok := s.find(text)
	if !ok || key.Kind != keys.Write {
		return errNoSource
	}
	protocol, host := s.address(r)
	every := object{"__default": object{"enabled": true, "integrations": object{}}}
	cacheable(w)
	writeJSON(w, http.StatusOK, object{
		"integrations": object{"Segment.io": object{
			"apiKey": text, "apiHost": host + "/v1", "protocol": protocol,
			"unbundledIntegrations": []string{}, "addBundledMetadata": false,
			"versionSettings": object{"version": "4.4.7", "componentTypes": []string{"browser"}},
		}},
		"plan":                 object{"track": every, "identify": every, "group": every},
		"edgeFunction":         object{},
		"analyticsNextEnabled": true,
		"middlewareSettings":   object{},
		"enabledMiddleware":    object{},
		"metrics":              object{"sampleRate": 0, "host": host + "/v1"},
		"remotePlugins":        []string{},
	})
	return nil
}

// rudderSettings answers RudderStack's browser SDK, which asks for its source:
// enabled, without a destination, because the events end here. The key is in
// the query, as the SDK has it, and in its basic authorization.
func (s *Server) rudderSettings(w http.ResponseWriter, r *http.Request) error {
	text := r.URL.Query().Get("writeKey")
	if text == "" {
		text, _, _ = r.BasicAuth()
	}
	key, ok := s.find(text)
	if !ok || key.Kind != keys.Write {
		return errNoSource
	}
	silent := object{"enabled": false}
	cacheable(w)
	writeJSON(w, http.StatusOK, object{
		"source": object{
			"id": key.ID, "name": key.Name, "writeKey": text, "enabled": true,
			"workspaceId": "rapport", "updatedAt": key.Created,
			"config":       object{"statsCollection": object{"errors": silent, "metrics": silent}},
			"destinations": []string{}, "connections": []string{}, "dataplanes": object{},
		},
		"updatedAt": key.Created,
	})
	return nil
}

// address returns the protocol and host at which pages reach us.
func (s *Server) address(r *http.Request) (protocol, host string) {
	if u, err := url.Parse(s.opt.PublicURL); err == nil && u.Host != "" {
		return u.Scheme, u.Host + strings.TrimSuffix(u.Path, "/")
	}
	// The header of a proxy is believed: whoever forges it only misleads himself.
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return "https", r.Host
	}
	return "http", r.Host
}

// cacheable lets the browser keep the settings for a while. Only the browser:
// they name the host that was asked, and a cache in between may serve several.
func cacheable(w http.ResponseWriter) { w.Header().Set("Cache-Control", "private, max-age=300") }
