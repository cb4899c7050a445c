package api

import (
	"encoding/json"

	"rapport/internal/core/journey"
)

// shapes are every kind of trigger and step.
type shapes struct {
	Triggers []shape        `json:"triggers" doc:"In the order in which a form shows them. A trigger is of the kind whose key it has."`
	Steps    []shape        `json:"steps" doc:"In the order in which a palette shows them. A step is of the kind whose key it has."`
	Beside   []shapeField   `json:"beside" doc:"What every step may have beside its kind's key."`
	Whole    shape          `json:"whole" doc:"What a journey says beside its triggers and steps."`
	Limits   map[string]int `json:"limits"`
}

// shape is one kind, as journey.Shape says it.
type shape struct {
	Key    string          `json:"key"`
	Label  journey.Words   `json:"label"`
	About  journey.Words   `json:"about"`
	Says   journey.Words   `json:"says" doc:"A sentence about one; {field} stands for the field's value."`
	Fields []shapeField    `json:"fields"`
	Ways   []shape         `json:"ways" doc:"Several ways to write it: the one whose key is there. Empty: by the fields."`
	Short  string          `json:"short,omitempty" doc:"The field that a bare value stands for."`
	Forks  []shapeFork     `json:"forks" doc:"Where it leads."`
	Schema json.RawMessage `json:"schema" doc:"JSON schema of what stands behind the key; of a trigger, of the whole trigger."`
	Sample string          `json:"example" doc:"In YAML."`
}

type shapeField struct {
	Name     string           `json:"name"`
	Label    journey.Words    `json:"label"`
	About    journey.Words    `json:"about"`
	Type     string           `json:"type"`
	Units    []string         `json:"units" doc:"Of a length of time."`
	Required bool             `json:"required"`
	Often    bool             `json:"often" doc:"A form shows it at once, though it may be left out."`
	Default  string           `json:"default,omitempty" doc:"What holds if it is left out."`
	Options  []journey.Option `json:"options"`
	Items    []shapeField     `json:"items" doc:"Of a list."`
}

type shapeFork struct {
	At       string        `json:"at" doc:"Where the step's name is written: next and otherwise beside the kind's key, others below it; with each, within its items."`
	Each     string        `json:"each,omitempty" doc:"The list or map whose items are a branch each."`
	Keyed    bool          `json:"keyed" doc:"At is a map from the keys of each to steps."`
	Label    journey.Words `json:"label"`
	Optional bool          `json:"optional" doc:"There is no such branch while it is not written."`
	Needs    []string      `json:"needs" doc:"There is no such branch without one of these fields."`
	Falls    []string      `json:"falls" doc:"Places that say where it leads if at does not; none: the step below."`
}

func shapesOf(list []journey.Shape, whole bool) []shape {
	out := []shape{}
	for i := range list {
		out = append(out, shapeOf(&list[i], whole))
	}
	return out
}

func shapeOf(s *journey.Shape, whole bool) shape {
	v := shape{
		Key: s.Key, Label: s.Label, About: s.About, Says: s.Says, Fields: fieldsOf(s.Fields), Ways: shapesOf(s.Ways, false), Short: s.Short, Forks: []shapeFork{}, Sample: s.Example,
	}
	for _, f := range s.Forks {
		v.Forks = append(v.Forks, shapeFork{f.At, f.Each, f.Keyed, f.Label, f.Optional, append([]string{}, f.Needs...), append([]string{}, f.Falls...)})
	}
	schema := schemaOf(s)
	if whole {
		schema["title"] = s.Label.EN
	}
	v.Schema, _ = json.Marshal(schema) // it is made of texts and maps alone
	return v
}

// lengthUnits are those of lengths of time.
var lengthUnits = []string{"m", "h", "d", "w"}

func fieldsOf(list []journey.Field) []shapeField {
	out := []shapeField{}
	for i := range list {
		f := &list[i]
		if f.Named() {
			continue
		}
		v := shapeField{Name: f.Name, Label: f.Label, About: f.About, Type: string(f.Type), Units: []string{}, Required: f.Required, Often: f.Often, Default: f.Default, Options: append([]journey.Option{}, f.Options...), Items: fieldsOf(f.Items)}
		switch f.Type {
		case journey.LengthField, journey.ExpiryField:
			v.Units = lengthUnits
		case journey.OffsetField:
			v.Units = []string{"d"}
		}
		out = append(out, v)
	}
	return out
}

type schema = map[string]any

// schemaOf returns the JSON schema of a kind.
func schemaOf(s *journey.Shape) schema {
	if len(s.Ways) > 0 {
		var ways []schema
		for i := range s.Ways {
			ways = append(ways, schemaOf(&s.Ways[i]))
		}
		return short(s, schema{"oneOf": ways, "description": s.About.EN})
	}
	return short(s, objectOf(s.Fields, s.About.EN))
}

// short lets the schema of a kind take the bare value that stands for it, too.
func short(s *journey.Shape, whole schema) schema {
	if s.Short == "" {
		return whole
	}
	return schema{"anyOf": []any{whole, schema{"type": []string{"string", "array"}}}}
}

func objectOf(fields []journey.Field, about string) schema {
	properties, required := schema{}, []string{}
	for i := range fields {
		f := &fields[i]
		properties[f.Name] = fieldSchema(f)
		if f.Required && !f.Named() {
			required = append(required, f.Name)
		}
	}
	out := schema{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	if about != "" {
		out["description"] = about
	}
	return out
}

// patterns are what texts of a type look like.
var patterns = map[journey.FieldType]string{
	journey.LengthField: `^[0-9]+[smhdw]$`, journey.OffsetField: `^-?[0-9]+[smhdw]$`, journey.ClockField: `^[0-9]{1,2}:[0-9]{2}$`,
	journey.ShareField: `^(0|[0-9.]+ ?%)$`,
}

func fieldSchema(f *journey.Field) schema {
	if f.Named() {
		// The name of a step, or names of steps by an arm of a split.
		return schema{"type": []string{"string", "object", "array"}, "format": "step"}
	}
	v := schema{"title": f.Label.EN, "description": f.About.EN, "format": string(f.Type)}
	if f.Default != "" {
		v["default"] = f.Default
	}
	var values []string
	for _, o := range f.Options {
		values = append(values, o.Value)
	}
	switch f.Type {
	case journey.NumberField:
		v["type"] = "integer"
	case journey.TruthField:
		v["type"] = "boolean"
	case journey.ConditionField, journey.FilterField, journey.ValuesField:
		v["type"] = "object"
	case journey.SharesField:
		v["type"], v["additionalProperties"] = "object", schema{"type": "number", "exclusiveMinimum": 0, "maximum": 100}
	case journey.EventsField, journey.SentencesField:
		v["type"], v["items"] = []string{"string", "array"}, schema{"type": "string"}
	case journey.ChoiceField:
		v["type"], v["enum"] = "string", values
	case journey.ChoicesField:
		v["type"], v["items"] = []string{"string", "array"}, schema{"type": "string", "enum": values}
	case journey.ListField:
		v["type"], v["items"] = "array", objectOf(f.Items, "")
	case journey.ReentryField:
		v["anyOf"] = []any{schema{"enum": values}, schema{"type": "object", "properties": schema{"after": schema{"type": "string", "format": "length"}}}}
	case journey.ExpiryField:
		v["anyOf"] = []any{schema{"enum": values}, schema{"type": "string", "pattern": patterns[journey.LengthField]}}
	case journey.OccasionField:
		// The item itself is an event, with where, or a condition.
	default:
		v["type"] = "string"
		if p := patterns[f.Type]; p != "" {
			v["pattern"] = p
		}
	}
	return v
}
