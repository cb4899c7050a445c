package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"rapport/internal/api"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

const openapiFile = "../../docs/openapi.json"

func TestTheDocumentThatIsCheckedInIsTheOneThatIsServed(t *testing.T) {
	t.Parallel()
	a := api.New(api.Options{Node: &node{}, Keys: ring{}})
	if *update {
		if err := os.WriteFile(openapiFile, a.OpenAPI(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(openapiFile)
	if err != nil || !bytes.Equal(want, a.OpenAPI()) {
		t.Errorf("docs/openapi.json is not what is served (%v): go test ./internal/api -update writes it", err)
	}
	w := call(&node{}, "GET", "/api/v1/openapi.json", "", "")
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), a.OpenAPI()) {
		t.Errorf("the document is answered with %d and %d bytes", w.Code, w.Body.Len())
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	t.Parallel()
	a := api.New(api.Options{Node: &node{}, Keys: ring{}})
	var d struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Summary     string                `json:"summary"`
			Tags        []string              `json:"tags"`
			Security    []map[string][]string `json:"security"`
			Responses   map[string]any        `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(a.OpenAPI(), &d); err != nil || d.OpenAPI != "3.1.0" {
		t.Fatalf("the document is of version %q, %v", d.OpenAPI, err)
	}
	ids := map[string]bool{}
	count := 0
	for path, operations := range d.Paths {
		for method, op := range operations {
			count++
			if op.Summary == "" || len(op.Tags) != 1 || len(op.Security) == 0 || ids[op.OperationID] || op.Responses["default"] == nil {
				t.Errorf("%s %s is described as %+v", method, path, op)
			}
			ids[op.OperationID] = true
		}
	}
	if count != len(a.Routes()) || count == 0 {
		t.Errorf("%d operations are described, %d are answered", count, len(a.Routes()))
	}
	for _, r := range a.Routes() {
		if _, there := d.Paths[r.Path][strings.ToLower(r.Method)]; !there {
			t.Errorf("%s %s is not described", r.Method, r.Path)
		}
	}
}
