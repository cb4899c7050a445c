package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/measure"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/program"
	"rapport/internal/sender"
)

// apiVersion is the version of the API, not of the product: what is added does not
// change it, so the document is the same in every build of one source.
const apiVersion = "1"

// configuration describes the API as a whole. The library's own pages and schema
// links are left out: they load scripts from elsewhere, and put addresses into
// every answer.
func configuration() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[event.Time](), reflect.TypeFor[*time.Time]())
	for _, id := range []reflect.Type{reflect.TypeFor[identity.ID](), reflect.TypeFor[profile.DeliveryID](), reflect.TypeFor[event.ID]()} {
		registry.RegisterTypeAlias(id, reflect.TypeFor[string]())
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Rapport", Version: apiVersion,
				Description: "The management API of a Rapport server. Every call needs a key, or the session of somebody who signed in: a secret key (rp_s_…) may do everything, a restricted one (rp_r_…) what its scopes say, and a person what their role may. " +
					"Errors are problem documents (RFC 9457). Lists come in pages: while an answer has a next, ask again with it as cursor.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key":    {Type: "http", Scheme: "bearer", Description: "A secret or a restricted key: Authorization: Bearer rp_s_… The names beside an operation are the scopes of restricted keys that it takes; secret means that only a secret key will do."},
					"person": {Type: "apiKey", In: "cookie", Name: Cookie, Description: "The session of somebody who signed in. The names beside an operation are the roles that may do it."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	}
}

// schemaName names a type in the document. Several packages of ours
// have a problem or a record.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[spec.Problem]():
		return "DefinitionProblem"
	case reflect.TypeFor[program.Preview]():
		return "MessagePreview"
	case reflect.TypeFor[measure.Report]():
		return "HoldoutReport"
	case reflect.TypeFor[sender.Problem]():
		return "DomainProblem"
	case reflect.TypeFor[sender.Record]():
		return "DNSRecord"
	case reflect.TypeFor[measure.Report]():
		return "HoldoutReport"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// document encodes the description, in the same order every time.
func document(d *huma.OpenAPI) []byte {
	var tree any
	b, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(b, &tree)
	}
	if err == nil {
		b, err = json.MarshalIndent(tree, "", "  ")
	}
	if err != nil {
		panic(err) // unreachable: it is made of this package's own types
	}
	return append(b, '\n')
}

// get is an operation that reads.
func get(path, tag, summary, about string) operation {
	return operation{method: http.MethodGet, path: path, scope: "read", tag: tag, summary: summary, about: about}
}
