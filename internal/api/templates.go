package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/studio/code"
)

// template is one template in force.
type template struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Subject string   `json:"subject,omitempty" doc:"As written, in Liquid; absent: it is no e-mail."`
	Files   []string `json:"files" doc:"The definitions that it is made of, its layout and blocks not among them."`
}

// readCall says as whom a template is read.
type readCall struct {
	Named
	Body struct {
		Customer string `json:"customer" minLength:"1" maxLength:"300" doc:"A customer id, user id, e-mail address or phone number."`
		Locale   string `json:"locale,omitempty" maxLength:"35" doc:"Language to read it in. Default: the customer's."`
		Files    []file `json:"files,omitempty" maxItems:"20" doc:"Definitions to read it with in place of those in force, which stay in force: what is being written."`
	}
}

// readTemplate is a template as a customer would read it.
type readTemplate struct {
	program.Preview
	Frame    string         `json:"frame,omitempty" doc:"Under which GET /frames shows the HTML in a frame, for some minutes."`
	Dark     bool           `json:"dark" doc:"Whether the message has a look of its own for dark screens."`
	Problems []spec.Problem `json:"problems" doc:"With files: what is wrong with them. If one is no warning there are no words."`
}

// testCall asks for a test.
type testCall struct {
	Named
	Body struct {
		To       string `json:"to" minLength:"3" maxLength:"254" example:"ada@shop.example" doc:"Who gets it. An address that is suppressed is refused."`
		Customer string `json:"customer,omitempty" maxLength:"300" doc:"As whom it is worded. Default: some customer."`
		Locale   string `json:"locale,omitempty" maxLength:"35" doc:"Language of the words. Default: the customer's."`
		Files    []file `json:"files,omitempty" maxItems:"20" doc:"Definitions to word it with in place of those in force."`
	}
}

// templates adds the operations about templates.
func (a *API) templates() {
	const tag = "templates"
	route(a, get("/templates", tag, "List the templates", "In order of their names."), func(ctx context.Context, in *Paging) (*body[page[template]], error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		list := []template{}
		for _, t := range pr.Templates {
			one := template{Name: t.Name, Label: t.Label, Subject: t.Subject, Files: []string{}}
			for _, f := range pr.Source.Files() {
				if strings.HasPrefix(f.Path, "templates/"+t.Name+".") {
					one.Files = append(one.Files, f.Path)
				}
			}
			list = append(list, one)
		}
		slices.SortFunc(list, func(x, y template) int { return strings.Compare(x.Name, y.Name) })
		return answer(keep(list, *in, "templates", func(t *template) string { return t.Name }))
	})
	route(a, operation{
		method: http.MethodPost, path: "/templates/{name}/preview", scope: keys.Read, tag: tag, summary: "Read a template as a customer would",
		about:   "About what their last message of it was about. What is missing is marked in the words and listed. Sends nothing.",
		maxBody: maxDefinitions,
	}, func(ctx context.Context, in *readCall) (*body[readTemplate], error) {
		out := readTemplate{Problems: []spec.Problem{}}
		pr, problems, err := a.tried(ctx, in.Body.Files)
		if err != nil {
			return nil, err
		}
		out.Problems = append(out.Problems, problems...)
		if out.Preview = (program.Preview{Template: in.Name, Gaps: []program.Gap{}}); pr == nil {
			return answer(out, nil)
		}
		if out.Preview, err = a.read(ctx, pr, in.Name, in.Body.Customer, in.Body.Locale); err != nil {
			return nil, err
		}
		if out.HTML != "" {
			out.Frame, out.Dark = a.frames.keep(out.HTML), darkStyles.MatchString(out.HTML)
		}
		return answer(out, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/templates/{name}/test", scope: keys.Send, tag: tag, summary: "Send a template to somebody of the shop, as a test",
		about:   "Once, by the same channel as every message, with [Test] before its subject. It is no delivery: nothing of it is counted, and it stands in nobody's history. At most twenty an hour.",
		maxBody: maxDefinitions,
	}, func(ctx context.Context, in *testCall) (*body[run.TestSent], error) {
		pr, err := a.sound(ctx, in.Body.Files)
		if err != nil {
			return nil, err
		}
		return answer(a.test(ctx, pr, in, in.Name, nil))
	})
	route(a, operation{
		method: http.MethodPost, path: "/campaigns/{name}/test", scope: keys.Send, tag: "campaigns", summary: "Send a campaign's message to somebody of the shop, as a test",
		about: "As POST /templates/{name}/test does, about what the campaign is about, with its reason and its sender.", maxBody: maxDefinitions,
	}, func(ctx context.Context, in *testCall) (*body[run.TestSent], error) {
		pr, err := a.sound(ctx, in.Body.Files)
		if err != nil {
			return nil, err
		}
		d := pr.Campaign(in.Name)
		if d == nil {
			return nil, fault.New(fault.NotFound, "there is no campaign of that name")
		}
		return answer(a.test(ctx, pr, in, d.Templates()[0], d))
	})
	route(a, get("/frames/{id}", tag, "Show a message that was read as a customer would, as a page for a frame", "It runs nothing and loads nothing from elsewhere. Of light and dark screens it has the look that is asked for, whatever the reader's own is."), a.shownFrame)
	route(a, get("/liquid", tag, "Say what templates may speak of", "Tags, filters, variables, blocks, layouts and languages, for who writes one."), a.language)
	route(a, get("/templates/{name}/frame", tag, "Read a template as a customer would, as a page for a frame", "It runs nothing and loads nothing from elsewhere."), func(ctx context.Context, in *struct {
		Named
		Customer string `query:"customer" required:"true" minLength:"32" maxLength:"32" pattern:"^[0-9a-fA-F]{32}$" doc:"The customer's id."`
		Locale   string `query:"locale" maxLength:"35"`
	},
	) (*huma.StreamResponse, error) {
		pr, err := a.inForce(ctx)
		if err != nil {
			return nil, err
		}
		v, err := a.read(ctx, pr, in.Name, in.Customer, in.Locale)
		if err != nil {
			return nil, err
		}
		return framed(v.HTML), nil
	})
}

func (a *API) read(ctx context.Context, pr *program.Program, name, customer, locale string) (v program.Preview, err error) {
	if _, known := pr.Templates[name]; !known {
		return v, fault.New(fault.NotFound, "no template of that name is in force")
	}
	s, err := a.sample(ctx, name, customer)
	if err != nil {
		return v, err
	}
	media := &here{}
	s.Locale, s.Media = locale, media
	if v, err = pr.Preview(s, a.o.Now()); err == nil {
		v.HTML = media.shown(v.HTML)
	}
	return v, err
}

// sample is what a template would be filled with for a customer.
func (a *API) sample(ctx context.Context, name, customer string) (program.Sample, error) {
	s, err := a.o.Node.Sample(ctx, name, customer)
	if fault.Is(err, fault.NotFound) {
		return s, errNobody // the identifier is not repeated
	}
	return s, err
}

// here are the addresses of pictures and codes in a preview. While it is worded they
// are whole addresses of nowhere, because nothing else may stand in a link; shown puts
// those of the server itself in their place, which the frame of a preview may load.
type here struct {
	codes map[string]string // data: addresses by those of nowhere
}

// nowhere is a host that there cannot be (RFC 2606).
const nowhere = "https://preview.invalid"

// Picture returns the address of a picture.
func (*here) Picture(name string) string { return nowhere + "/i/" + name }

// Code draws the code itself, which is small: its address would be of a delivery, and
// a preview is none.
func (h *here) Code(kind, text, level string) (string, error) {
	drawn, err := code.Draw(code.Kind(kind), text, level)
	if err != nil {
		return "", err
	}
	if h.codes == nil {
		h.codes = map[string]string{}
	}
	address := nowhere + "/k/" + strconv.Itoa(len(h.codes)) + ".png"
	h.codes[address] = "data:image/png;base64," + base64.StdEncoding.EncodeToString(drawn.PNG)
	return address, nil
}

// shown is a page with the addresses of the server itself.
func (h *here) shown(html string) string {
	for address, drawn := range h.codes { // order does not matter: they end differently
		html = strings.ReplaceAll(html, address, drawn)
	}
	return strings.ReplaceAll(html, nowhere+"/i/", "/i/")
}

// tried returns the program that definitions with some files in place of those in
// force would be. If they would not compile there is none, and the problems say why.
func (a *API) tried(ctx context.Context, files []file) (*program.Program, []spec.Problem, error) {
	pr, err := a.inForce(ctx)
	if err != nil || len(files) == 0 {
		return pr, nil, err
	}
	changed := make([]program.File, len(files))
	for i, f := range files {
		changed[i] = program.File{Path: f.Path, Body: f.Body}
	}
	src, err := pr.Source.With(changed, nil)
	if err != nil {
		return nil, nil, err
	}
	tried, problems := a.o.Node.Try(src)
	if !checkedOf(problems).OK {
		return nil, problems, nil
	}
	return tried, problems, nil
}

// sound returns the definitions with some files in place of those in force, or says
// what is wrong with them.
func (a *API) sound(ctx context.Context, files []file) (*program.Program, error) {
	pr, problems, err := a.tried(ctx, files)
	if err == nil && pr == nil {
		err = problemOf(problems)
	}
	return pr, err
}

// problemOf is the problem document of definitions that do not compile.
func problemOf(problems []spec.Problem) error {
	p := &problem{Status: http.StatusBadRequest, Detail: "the definitions have mistakes"}
	for i := range problems {
		if q := &problems[i]; !q.Warning && len(p.Errors) < maxDefects {
			p.Errors = append(p.Errors, defect{q.Where, q.What})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail += ": " + p.Errors[0].Where + ": " + p.Errors[0].What
	}
	return p
}

// testsAnHour is how many tests one person, or key, may send in an hour: enough to
// look at a message on every screen of the house, and no way to write to strangers.
const testsAnHour = 20

func (a *API) test(ctx context.Context, pr *program.Program, in *testCall, template string, of *journey.Definition) (run.TestSent, error) {
	if _, known := pr.Templates[template]; !known {
		return run.TestSent{}, fault.New(fault.NotFound, "no template of that name is in force")
	}
	if _, err := run.TestAddress(in.Body.To); err != nil {
		return run.TestSent{}, err // nobody can be written to by it, so it is none of the twenty
	}
	if wait := a.tests.take(callerOf(ctx).actor().ID, a.o.Now().Time()); wait > 0 {
		return run.TestSent{}, &problem{Status: http.StatusTooManyRequests, Detail: "that were " + strconv.Itoa(testsAnHour) + " tests in an hour: wait a little", retry: wait}
	}
	detail(ctx, "a test to "+masked(in.Body.To))
	customer := in.Body.Customer
	if customer == "" {
		id, err := a.anybody(ctx)
		if err != nil {
			return run.TestSent{}, err
		}
		customer = id
	}
	s, err := a.sample(ctx, template, customer)
	if err != nil {
		return run.TestSent{}, err
	}
	s.Locale = in.Body.Locale
	if of != nil {
		written := tree(pr.Source, of.Pos.File)
		for key, to := range map[string]*string{"channel": &s.Delivery.Channel, "purpose": &s.Delivery.Purpose, "reason": &s.Delivery.Reason, "category": &s.Delivery.Category} {
			if v, there := written.Get(key); there && v.Scalar() {
				*to = v.Text
			}
		}
	}
	return a.o.Node.SendTest(ctx, pr, s, in.Body.To)
}

// anybody returns some customer, as whom a test is worded if nobody is named.
func (a *API) anybody(ctx context.Context) (string, error) {
	for p, err := range a.o.Node.Customers(ctx, identity.ID{}) {
		if err != nil {
			return "", err
		}
		return p.ID.String(), nil
	}
	return "", fault.New(fault.Conflict, "nobody is known yet as whom the test could be worded")
}

// masked is an address as the audit trail may keep it.
func masked(address string) string {
	local, domain, ok := strings.Cut(strings.TrimSpace(address), "@")
	if !ok || local == "" {
		return "an address"
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "…@" + domain
}
