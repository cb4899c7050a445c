package place

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// nameKeys are the properties of a GeoJSON feature that name it, the first that
// is there.
var nameKeys = []string{"fence", "name", "title", "id"}

type feature struct {
	Properties map[string]any `json:"properties"`
	Geometry   struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// ReadGeoJSON reads fences from GeoJSON (RFC 7946): each Polygon and MultiPolygon of
// a collection is one, named by its property fence, name, title or id, however it is
// written. A Point with a property radius, in metres, is a circle. The error is
// Invalid and names the feature.
func ReadGeoJSON(text string) ([]*Fence, error) {
	var doc struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "it is no GeoJSON")
	}
	if doc.Type == "Feature" {
		doc.Features = []json.RawMessage{json.RawMessage(text)}
	} else if doc.Type != "FeatureCollection" {
		return nil, fault.New(fault.Invalid, "a FeatureCollection is expected, and it is a "+strconv.Quote(doc.Type))
	}
	if len(doc.Features) > MaxFences {
		return nil, fault.New(fault.TooLarge, "there are more than "+strconv.Itoa(MaxFences)+" fences")
	}
	fences := make([]*Fence, 0, len(doc.Features))
	for i, raw := range doc.Features {
		var one feature
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "feature "+strconv.Itoa(i+1)+" is no feature")
		}
		name := one.name()
		if name == "" || len(name) > maxName {
			return nil, fault.New(fault.Invalid, "feature "+strconv.Itoa(i+1)+" has no name of at most "+strconv.Itoa(maxName)+" bytes: give it the property name")
		}
		f, err := one.fence(name)
		if err != nil {
			_, why := fault.Of(err)
			return nil, fault.New(fault.Invalid, "the fence "+name+": "+why)
		}
		fences = append(fences, f)
	}
	return fences, nil
}

func (f *feature) name() string {
	for _, want := range nameKeys {
		for _, key := range slices.Sorted(maps.Keys(f.Properties)) {
			v := f.Properties[key]
			if !strings.EqualFold(key, want) {
				continue
			}
			switch v := v.(type) {
			case string:
				return strings.TrimSpace(v)
			case float64:
				return strconv.FormatFloat(v, 'f', -1, 64)
			}
		}
	}
	return ""
}

func (f *feature) fence(name string) (*Fence, error) {
	switch f.Geometry.Type {
	case "Point":
		var c []float64
		radius, ok := f.Properties["radius"].(float64)
		if err := json.Unmarshal(f.Geometry.Coordinates, &c); err != nil || len(c) < 2 || !ok {
			return nil, fault.New(fault.Invalid, "a point is a fence only with the property radius, in metres")
		}
		return Circle(name, Point{c[1], c[0]}, radius)
	case "Polygon":
		var rings [][][]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &rings); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "its coordinates are no rings")
		}
		return polygons(name, [][][][]float64{rings})
	case "MultiPolygon":
		var list [][][][]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &list); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "its coordinates are no polygons")
		}
		return polygons(name, list)
	}
	return nil, fault.New(fault.Invalid, "a "+strconv.Quote(f.Geometry.Type)+" is no area: Polygon, MultiPolygon, or Point with a radius")
}

func polygons(name string, list [][][][]float64) (*Fence, error) {
	shapes := make([][][]Point, len(list))
	for i, rings := range list {
		for _, ring := range rings {
			points := make([]Point, 0, len(ring))
			for _, c := range ring {
				if len(c) < 2 {
					return nil, fault.New(fault.Invalid, "a corner is its longitude and latitude")
				}
				points = append(points, Point{c[1], c[0]})
			}
			shapes[i] = append(shapes[i], points)
		}
	}
	return Polygon(name, shapes)
}
