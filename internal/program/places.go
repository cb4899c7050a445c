package program

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"rapport/internal/core/place"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// geojson is the ending of files of fences as map tools write them, and lines that
// of stores as an import writes them.
const (
	geojson = ".geojson"
	lines   = ".jsonl"
)

// maxGeo bounds one such file: the boroughs of London with every bend of their
// rims are one megabyte, and ten thousand stores are four.
const maxGeo = 8 << 20

// mostOf returns how long a file of definitions may be.
func mostOf(name string) int {
	switch path.Ext(name) {
	case geojson, lines:
		return maxGeo
	}
	return MaxFile
}

// isPlaces reports whether a file holds places: of those kinds only what stands in
// the folders of places is read.
func isPlaces(name string) bool {
	dir := path.Dir(name)
	return dir == "fences" && path.Ext(name) == geojson || dir == "stores" && path.Ext(name) == lines
}

// sortPlaces takes a file of stores or fences, and reports whether it was one.
func (c *compiler) sortPlaces(dir string, f File) bool {
	kind := path.Ext(f.Path)
	switch {
	case dir == "stores/" && (kind == ".yaml" || kind == lines):
		c.stores = append(c.stores, f)
	case dir == "fences/" && (kind == ".yaml" || kind == geojson):
		c.fences = append(c.fences, f)
	default:
		return false
	}
	return true
}

// places reads the stores and fences.
func (c *compiler) places() {
	env := &place.Env{Zone: c.p.Zone, Zones: c.zones.Zone}
	var stores []place.Store
	seen := map[string]spec.Pos{}
	twice := func(what, name string, pos spec.Pos) bool {
		if before, there := seen[what+name]; there {
			c.ps.Add(pos, "", "there are two %ss called %q; the other stands in %s", what, name, before.String())
			return true
		}
		seen[what+name] = pos
		return false
	}
	for _, f := range c.stores {
		for _, n := range c.items(f) {
			s, ok := place.ParseStore(n, env, c.ps)
			if ok && !twice("store", s.ID, n.Pos) {
				stores = append(stores, s)
			}
		}
	}
	if len(stores) > place.MaxStores {
		c.ps.Add(spec.Pos{File: c.stores[0].Path}, "", "there are %d stores; at most %d are taken", len(stores), place.MaxStores)
		return
	}
	var fences []*place.Fence
	for _, f := range c.fences {
		if path.Ext(f.Path) == geojson {
			list, err := place.ReadGeoJSON(f.Body)
			if err != nil {
				_, why := fault.Of(err)
				c.ps.Add(spec.Pos{File: f.Path, Line: 1}, "", "%s", why)
			}
			for _, one := range list {
				if !twice("fence", one.Name, spec.Pos{File: f.Path, Line: 1}) {
					fences = append(fences, one)
				}
			}
			continue
		}
		for _, n := range c.items(f) {
			if one := place.ParseFence(n, c.ps); one != nil && !twice("fence", one.Name, n.Pos) {
				fences = append(fences, one)
			}
		}
	}
	if len(fences) > place.MaxFences {
		c.ps.Add(spec.Pos{File: c.fences[0].Path}, "", "there are %d fences; at most %d are taken", len(fences), place.MaxFences)
		return
	}
	if len(stores)+len(fences) > 0 {
		c.p.Places = place.New(stores, fences)
	}
}

// items returns the definitions of a file that may hold one, several documents, or
// a list; of a file of lines, one a line.
func (c *compiler) items(f File) (nodes []spec.Node) {
	if path.Ext(f.Path) == lines {
		for i, line := range strings.Split(f.Body, "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			pos := spec.Pos{File: f.Path, Line: i + 1}
			n, err := jsonNode(line, pos)
			if err != nil {
				c.ps.Add(pos, `{"store": "soho", "lat": 51.51, "lon": -0.13}`, "the line is no JSON object: %s", err.Error())
				continue
			}
			nodes = append(nodes, n)
		}
		return nodes
	}
	return definitions(f, c.ps)
}

// jsonNode reads one JSON value as a node that stands at pos.
func jsonNode(line string, pos spec.Pos) (spec.Node, error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	n, err := jsonValue(d, pos, 0)
	if err == nil && d.More() {
		err = fault.New(fault.Invalid, "something follows the object")
	}
	return n, err
}

func jsonValue(d *json.Decoder, pos spec.Pos, depth int) (spec.Node, error) {
	n := spec.Node{Pos: pos}
	if depth > maxExampleDepth {
		return n, fault.New(fault.Invalid, "it is nested too deep")
	}
	t, err := d.Token()
	if err != nil {
		return n, err
	}
	switch t := t.(type) {
	case json.Delim:
		n.Kind = spec.List
		if t == '{' {
			n.Kind = spec.Map
		}
		for d.More() {
			key := ""
			if n.Kind == spec.Map {
				k, err := d.Token()
				if err != nil {
					return n, err
				}
				key, _ = k.(string)
			}
			v, err := jsonValue(d, pos, depth+1)
			if err != nil {
				return n, err
			}
			if n.Kind == spec.Map {
				n.Fields = append(n.Fields, spec.Field{Key: key, Pos: pos, Value: v})
			} else {
				n.Items = append(n.Items, v)
			}
		}
		_, err = d.Token()
		return n, err
	case string:
		n.Kind, n.Text = spec.Text, t
	case json.Number:
		n.Kind, n.Text = spec.Number, t.String()
	case bool:
		n.Kind, n.Text = spec.Bool, "false"
		if t {
			n.Text = "true"
		}
	}
	return n, nil
}

// StoreLines writes stores as a file of lines, for an import: one a line, in the
// order given.
func StoreLines(stores []StoreLine) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i := range stores {
		if err := e.Encode(&stores[i]); err != nil {
			return nil, err // unreachable: the fields are texts and numbers
		}
	}
	return b.Bytes(), nil
}

// StoreLine is a store as a definition writes it: see place.ParseStore.
type StoreLine struct {
	Store    string            `json:"store"`
	Name     string            `json:"name,omitempty"`
	Kind     string            `json:"kind,omitempty"`
	Lat      json.Number       `json:"lat"`
	Lon      json.Number       `json:"lon"`
	Street   string            `json:"street,omitempty"`
	City     string            `json:"city,omitempty"`
	Region   string            `json:"region,omitempty"`
	Postal   string            `json:"postal,omitempty"`
	Country  string            `json:"country,omitempty"`
	Phone    string            `json:"phone,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Hours    map[string]string `json:"hours,omitempty"`
	Holidays map[string]string `json:"holidays,omitempty"`
	Stock    string            `json:"stock,omitempty"`
	Staff    []string          `json:"staff,omitempty"`
	Services []string          `json:"services,omitempty"`
	Fence    string            `json:"fence,omitempty"`
}

// CheckStores returns what is wrong with lines of stores, as a file of that path
// in a shop's definitions.
func CheckStores(file string, body []byte) ([]place.Store, []spec.Problem) {
	var ps spec.Problems
	zones, err := loadZones()
	if err != nil {
		ps.Add(spec.Pos{}, "", "%s", err.Error())
		return nil, ps.All()
	}
	c := &compiler{ps: &ps, zones: zones, p: &Program{}}
	c.p.Zone = zones.Zone("UTC")
	c.stores = []File{{file, string(body)}}
	c.places()
	return slices.Clone(c.p.Places.Stores()), ps.All()
}
