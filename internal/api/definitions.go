package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/program"
	"rapport/internal/run"
)

// maxDefinitions bounds a body of definitions: all that a source may hold, and half
// as much again for how JSON writes it.
const maxDefinitions = program.MaxSource + program.MaxSource/2

// definitions are every file of the definitions, as written.
type definitions struct {
	Tag   string `json:"tag,omitempty" readOnly:"true" doc:"Names the definitions: equal files have equal tags."`
	Files []file `json:"files" maxItems:"2000"`
}

type file struct {
	Path string `json:"path" maxLength:"200" example:"segments/vip.yaml"`
	Body string `json:"body"`
}

func (d *definitions) source() (*program.Source, error) {
	files := make([]program.File, len(d.Files))
	for i, f := range d.Files {
		files[i] = program.File{Path: f.Path, Body: f.Body}
	}
	return program.New(files)
}

// tagged are definitions with their tag as HTTP names it.
type tagged struct {
	ETag string `header:"ETag"`
	Body definitions
}

// checked is what is wrong with definitions.
type checked struct {
	OK       bool           `json:"ok" doc:"Whether they may come into force: warnings do not hinder."`
	Problems []spec.Problem `json:"problems"`
}

func checkedOf(problems []spec.Problem) checked {
	c := checked{OK: true, Problems: append([]spec.Problem{}, problems...)}
	for _, p := range problems {
		c.OK = c.OK && p.Warning
	}
	return c
}

// applied says which definitions are in force now.
type applied struct {
	Tag      string         `json:"tag"`
	Problems []spec.Problem `json:"problems" doc:"Warnings."`
}

// programInForce is what the definitions were compiled to.
type programInForce struct {
	Tag       string   `json:"tag" doc:"Of the definitions."`
	Name      string   `json:"name" doc:"The shop's name."`
	Zone      string   `json:"time_zone"`
	Currency  string   `json:"currency"`
	Locale    string   `json:"locale"`
	Purposes  []string `json:"purposes" doc:"What customers can agree to."`
	Channels  []string `json:"channels" doc:"By which the shop can write."`
	Segments  int      `json:"segments"`
	Journeys  int      `json:"journeys" doc:"Campaigns and service messages included."`
	Templates int      `json:"templates"`
	Older     int      `json:"older" doc:"Earlier sets of definitions that people may still be inside."`
}

// WithDefinitions is a request that brings definitions.
type WithDefinitions struct {
	Body definitions
}

// definitions adds the operations about definitions.
func (a *API) definitions() {
	const tag = "definitions"
	route(a, get("/program", tag, "Say what is in force", ""), a.program)
	route(a, get("/definitions", tag, "Get the definitions in force", "Every file as it was written. The ETag is their tag: send it as If-Match with what you make of them."), func(ctx context.Context, _ *struct{}) (*tagged, error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		d := definitions{Tag: run.Tag(pr.Source)}
		for _, f := range pr.Source.Files() {
			d.Files = append(d.Files, file{f.Path, f.Body})
		}
		return &tagged{`"` + d.Tag + `"`, d}, nil
	})
	route(a, get("/definitions/tree", tag, "Get what one file of the definitions says, as JSON", "Of a file of YAML: what its first document says, its keys in the order of the file. For who changes a part of it."), a.treeOf)
	post := func(verb, summary, about string) operation {
		return operation{method: http.MethodPost, path: "/definitions/" + verb, scope: keys.Read, tag: tag, summary: summary, about: about, maxBody: maxDefinitions}
	}
	route(a, post("validate", "Check definitions", "Where each mistake is and what to write instead. Changes nothing."), func(ctx context.Context, in *WithDefinitions) (*body[checked], error) {
		src, err := in.Body.source()
		if err != nil {
			return nil, err
		}
		return answer(checkedOf(a.o.Node.Check(ctx, src)), nil)
	})
	route(a, post("diff", "Say what would change if definitions came into force", "Each definition that is added, changed or removed, line by line, and whom it concerns now. Changes nothing."),
		func(ctx context.Context, in *WithDefinitions) (*body[run.Difference], error) {
			src, err := in.Body.source()
			if err != nil {
				return nil, err
			}
			return answer(a.o.Node.Diff(ctx, src))
		})
	route(a, operation{
		method: http.MethodPut, path: "/definitions", scope: keys.Edit, tag: tag, summary: "Put definitions in force", maxBody: maxDefinitions,
		about: "All of them or none: a file that is not in the body is no longer in force. The same definitions again change nothing. If-Match says what they were made from; without it a shop that has definitions answers 428, so that nobody's change is lost.",
	}, a.apply)
}

func (a *API) program(ctx context.Context, _ *struct{}) (*body[programInForce], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	v := programInForce{
		Tag: run.Tag(pr.Source), Name: pr.Name, Zone: pr.Zone.String(), Currency: string(pr.Currency), Locale: pr.Locale, Purposes: []string{}, Channels: []string{},
		Segments: len(pr.Segments), Journeys: len(pr.Journeys), Templates: len(pr.Templates), Older: len(pr.Behind),
	}
	for i := range pr.Purposes {
		v.Purposes = append(v.Purposes, pr.Purposes[i].Name)
	}
	for _, channel := range program.Channels {
		if _, there := pr.Senders[channel]; there {
			v.Channels = append(v.Channels, channel)
		}
	}
	return answer(v, nil)
}

// apply puts definitions in force. Who does not say what theirs were made from could
// undo what somebody else did meanwhile, and would not know: they are asked to say.
func (a *API) apply(ctx context.Context, in *struct {
	If string `header:"If-Match" maxLength:"20" doc:"The ETag of GET /definitions from which these were made: others in force meanwhile are a conflict. * replaces whatever is in force. It may be left out only while nothing is."`
	WithDefinitions
},
) (*body[applied], error) {
	src, err := in.Body.source()
	if err != nil {
		return nil, err
	}
	a.applying.Lock()
	defer a.applying.Unlock()
	if want := strings.Trim(strings.TrimSpace(in.If), `"`); want != "*" {
		pr, err := a.o.Node.Program(ctx)
		switch {
		case err != nil:
			return nil, err
		case want == "" && pr != nil:
			return nil, &problem{Status: http.StatusPreconditionRequired, Detail: "say which definitions these were made from: send the header If-Match with the ETag that GET " + Prefix + "/definitions answers (the tag in its body), or If-Match: * to replace whatever is in force"}
		case want != "" && (pr == nil || run.Tag(pr.Source) != want):
			return nil, fault.New(fault.Conflict, "other definitions came into force meanwhile: get them, and make the change on top of them")
		}
	}
	if err := a.lacking(src); err != nil {
		return nil, err
	}
	if err := a.authored(ctx, run.Tag(src)); err != nil {
		return nil, err
	}
	problems, err := a.o.Node.Apply(ctx, src)
	if c := checkedOf(problems); !c.OK {
		p := &problem{Status: http.StatusBadRequest, Detail: "the definitions are not in order: nothing was changed"}
		for _, wrong := range problems {
			if !wrong.Warning && len(p.Errors) < maxDefects {
				what := wrong.What
				if wrong.Instead != "" {
					what += "; write instead: " + wrong.Instead
				}
				p.Errors = append(p.Errors, defect{wrong.Where, what})
			}
		}
		return nil, p
	}
	return answer(applied{run.Tag(src), checkedOf(problems).Problems}, err)
}

// fileTree is what a file says.
type fileTree struct {
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

func (a *API) treeOf(ctx context.Context, in *struct {
	Path string `query:"path" required:"true" maxLength:"200" example:"shop.yaml"`
},
) (*body[fileTree], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if text, there := pr.Source.File(in.Path); !there || !strings.HasSuffix(in.Path, ".yaml") && !strings.HasSuffix(in.Path, ".yml") || text == "" {
		return nil, fault.New(fault.NotFound, "the definitions have no such file of YAML")
	}
	var b strings.Builder
	asJSON(&b, tree(pr.Source, in.Path))
	return answer(fileTree{in.Path, json.RawMessage(b.String())}, nil)
}

// tree is the first document of a file that is in force, so it has no mistakes.
func tree(src *program.Source, path string) spec.Node {
	text, _ := src.File(path)
	if docs := program.ParseYAML(path, 1, text, &spec.Problems{}); len(docs) > 0 {
		return docs[0]
	}
	return spec.Node{}
}

// asJSON writes a node as JSON. A number that JSON writes otherwise, such as 007 or
// .5, is a text as it was written.
func asJSON(b *strings.Builder, n spec.Node) {
	text := func(s string) {
		out, _ := json.Marshal(s) // a text can always be written
		b.Write(out)
	}
	switch {
	case n.Kind == spec.Null:
		b.WriteString("null")
	case n.Kind == spec.Bool && (n.Text == "true" || n.Text == "false"), n.Kind == spec.Number && json.Valid([]byte(n.Text)):
		b.WriteString(n.Text)
	case n.Scalar():
		text(n.Text)
	case n.Kind == spec.List:
		b.WriteByte('[')
		for i := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			asJSON(b, n.Items[i])
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		for i := range n.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			text(n.Fields[i].Key)
			b.WriteByte(':')
			asJSON(b, n.Fields[i].Value)
		}
		b.WriteByte('}')
	}
}
