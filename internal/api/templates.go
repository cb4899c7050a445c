package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/program"
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
	}
}

// framePolicy lets a previewed message show its styles and our pictures, run nothing
// and reach nobody.
const framePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"

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
		about: "About what their last message of it was about. What is missing is marked in the words and listed. Sends nothing.",
	}, func(ctx context.Context, in *readCall) (*body[program.Preview], error) {
		return answer(a.readAs(ctx, in.Name, in.Body.Customer, in.Body.Locale))
	})
	route(a, get("/templates/{name}/frame", tag, "Read a template as a customer would, as a page for a frame", "It runs nothing and loads nothing from elsewhere."), func(ctx context.Context, in *struct {
		Named
		Customer string `query:"customer" required:"true" minLength:"32" maxLength:"32" pattern:"^[0-9a-fA-F]{32}$" doc:"The customer's id."`
		Locale   string `query:"locale" maxLength:"35"`
	},
	) (*huma.StreamResponse, error) {
		v, err := a.readAs(ctx, in.Name, in.Customer, in.Locale)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "text/html; charset=utf-8")
			c.SetHeader("Content-Security-Policy", framePolicy)
			c.SetStatus(http.StatusOK)
			_, _ = c.BodyWriter().Write([]byte(v.HTML)) // who is gone cannot be told
		}}, nil
	})
}

func (a *API) readAs(ctx context.Context, name, customer, locale string) (v program.Preview, err error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return v, err
	}
	if _, known := pr.Templates[name]; !known {
		return v, fault.New(fault.NotFound, "no template of that name is in force")
	}
	s, err := a.o.Node.Sample(ctx, name, customer)
	if fault.Is(err, fault.NotFound) {
		return v, errNobody // the identifier is not repeated
	}
	if err != nil {
		return v, err
	}
	s.Locale = locale
	return pr.Preview(s, a.o.Now())
}
