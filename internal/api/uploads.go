package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/fault"
	"rapport/internal/imports"
	"rapport/internal/keys"
	"rapport/internal/people"
)

// ImportHow is how an uploaded file is to be read. What is left out is found out.
type ImportHow struct {
	Kind      string            `json:"kind" enum:"suppressions,consents,customers,orders,events"`
	Source    string            `json:"source,omitempty" maxLength:"32" doc:"Where the file comes from; part of the ids, so that under another name it counts again. Default: the kind."`
	Map       map[string]string `json:"map,omitempty" doc:"What columns hold, by their names; - for nothing. The others are guessed."`
	From      string            `json:"from,omitempty" enum:"klaviyo,mailchimp,dotdigital,listmonk" doc:"Who wrote the file. Default: told by its columns."`
	Zone      string            `json:"zone,omitempty" maxLength:"64" doc:"Of dates without an offset. Default: UTC."`
	Dates     string            `json:"dates,omitempty" enum:"dmy,mdy" doc:"Whether day or month comes first, where the file does not tell."`
	Delimiter string            `json:"delimiter,omitempty" maxLength:"3" doc:"What stands between columns; tab for a tab."`
	Encoding  string            `json:"encoding,omitempty" enum:"utf-8,windows-1252"`
	Currency  string            `json:"currency,omitempty" maxLength:"3" doc:"orders: of those whose lines name none. Default: the shop's own."`
	Decimal   string            `json:"decimal,omitempty" pattern:"^[.,]$" doc:"orders: the mark before decimal places. Default: a point."`
	Returns   string            `json:"returns,omitempty" maxLength:"8" doc:"orders: what the numbers of returns begin with."`
	AsOf      string            `json:"as_of,omitempty" maxLength:"40" doc:"When rows without a date were true."`
	Channel   string            `json:"channel,omitempty" enum:"email,sms,whatsapp" doc:"Of rows that name none. Default: email."`
	Purpose   string            `json:"purpose,omitempty" maxLength:"64" doc:"Of rows that name none. Default: marketing."`
	Granted   bool              `json:"granted,omitempty" doc:"consents: everybody in the file agreed."`
	List      string            `json:"list,omitempty" maxLength:"100" doc:"customers: a static list that everybody in the file is on."`
	Reason    string            `json:"reason,omitempty" enum:"unsubscribed,bounced,complained,manual" doc:"suppressions: of rows that name none. Default: unsubscribed."`
}

func (h *ImportHow) how() imports.How { return imports.How(*h) }

// ImportProgress is how far a file is read, and what was found.
type ImportProgress struct {
	Running  bool                 `json:"running"`
	Rows     int64                `json:"rows"`
	Refused  int64                `json:"refused"`
	Totals   map[string]any       `json:"totals,omitempty" doc:"What the file holds, by the kind of the file."`
	Problems []imports.RowProblem `json:"problems,omitempty" doc:"The first rows that are not taken."`
	Trouble  string               `json:"trouble,omitempty" doc:"Why it ended before the end of the file."`
}

func progressOf(o *imports.Outcome) *ImportProgress {
	if o == nil {
		return nil
	}
	return &ImportProgress{o.Running, o.Rows, o.Refused, totalsOf(o.Totals), o.Problems, o.Trouble}
}

func totalsOf(raw json.RawMessage) map[string]any {
	if len(raw) == 0 {
		return nil
	}
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil // unreachable: it was written by us
	}
	return m
}

// ImportDraft is a file that was uploaded and is not imported yet.
type ImportDraft struct {
	ID      string          `json:"id"`
	File    string          `json:"file"`
	Bytes   int64           `json:"bytes"`
	At      time.Time       `json:"at"`
	How     ImportHow       `json:"how"`
	Reading imports.Reading `json:"reading" doc:"How the file is understood, with its first twenty rows."`
	Check   *ImportProgress `json:"check,omitempty" doc:"The dry run, if there was one since the last change."`
}

var errNoDesk = fault.New(fault.Unavailable, "this server takes no files: import by the command")

func (a *API) drafted(v imports.Draft, err error) (*body[ImportDraft], error) {
	if err != nil {
		return nil, err
	}
	r, err := a.o.Desk.Read(&v)
	if err != nil {
		return nil, err
	}
	return answer(ImportDraft{v.ID, v.File, v.Bytes, v.At.Time(), ImportHow(v.How), r, progressOf(v.Check)}, nil)
}

// withDesk lets an operation be done where files are taken.
func withDesk[I, O any](a *API, do func(ctx context.Context, in *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if a.o.Desk == nil {
			return nil, errNoDesk
		}
		return do(ctx, in)
	}
}

// uploads adds the operations that import a file.
func (a *API) uploads() {
	const tag = "imports"
	route(a, operation{
		method: http.MethodPost, path: "/imports", scope: keys.Edit, tag: tag, status: http.StatusCreated, summary: "Upload a file to import",
		about: "The body is the file: CSV, TSV or JSON lines, zipped or not, of at most 2 GB. Nothing is imported yet: the answer says how the file is understood, and a file that nobody imports is forgotten after a day.",
		file:  "The file.", answers: reflect.TypeFor[ImportDraft](),
	}, withDesk(a, func(ctx context.Context, in *struct {
		Kind string `query:"kind" required:"true" enum:"suppressions,consents,customers,orders,events" doc:"What the file is about. Bring those who must not be written to first."`
		File string `query:"file" maxLength:"200" doc:"Its name, for people."`
	},
	) (*huma.StreamResponse, error) {
		by := callerOf(ctx).name()
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			v, err := a.o.Desk.Upload(patient(w, r.Body), in.File, imports.How{Kind: in.Kind}, by)
			var d *body[ImportDraft]
			if d, err = a.drafted(v, err); err != nil {
				a.refuse(w, r, err)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(d.Body) // who is gone cannot be told
		}}, nil
	}))
	list := get("/uploads", tag, "List the files that wait to be imported", "The newest first.")
	list.roles = makers
	route(a, list, withDesk(a, func(context.Context, *struct{}) (*body[page[ImportDraft]], error) {
		drafts, err := a.o.Desk.List()
		out := page[ImportDraft]{Data: []ImportDraft{}}
		for i := range drafts {
			v := &drafts[i]
			out.Data = append(out.Data, ImportDraft{v.ID, v.File, v.Bytes, v.At.Time(), ImportHow(v.How), imports.Reading{Columns: []imports.ReadColumn{}, Rows: [][]string{}, Fields: []string{}}, progressOf(v.Check)})
		}
		return answer(out, err)
	}))
	show := get("/uploads/{name}", tag, "Show how an uploaded file is understood, and its dry run", "")
	show.roles = makers
	route(a, show, withDesk(a, func(_ context.Context, in *Named) (*body[ImportDraft], error) {
		return a.drafted(a.o.Desk.Draft(in.Name))
	}))
	route(a, operation{method: http.MethodPut, path: "/uploads/{name}", scope: keys.Edit, traffic: true, tag: tag, summary: "Say how an uploaded file is to be read"},
		withDesk(a, func(_ context.Context, in *struct {
			Named
			Body ImportHow
		},
		) (*body[ImportDraft], error) {
			return a.drafted(a.o.Desk.Change(in.Name, in.Body.how()))
		}))
	route(a, operation{method: http.MethodDelete, path: "/uploads/{name}", scope: keys.Edit, traffic: true, tag: tag, summary: "Discard an uploaded file", status: http.StatusNoContent},
		withDesk(a, func(_ context.Context, in *Named) (*struct{}, error) { return &struct{}{}, a.o.Desk.Discard(in.Name) }))
	route(a, operation{
		method: http.MethodPost, path: "/uploads/{name}/check", scope: keys.Edit, traffic: true, tag: tag, status: http.StatusAccepted, summary: "Try an import without writing anything",
		about: "The importer reads the whole file in the background: ask for the file again to see how far it is and what it counted.",
	}, withDesk(a, func(_ context.Context, in *Named) (*body[ImportDraft], error) {
		return a.drafted(a.o.Desk.Check(in.Name))
	}))
	route(a, operation{
		method: http.MethodPost, path: "/uploads/{name}/start", scope: keys.Edit, tag: tag, status: http.StatusAccepted, summary: "Import an uploaded file",
		about: "What it tells is history: it never sends anything. It goes on in the background, and after a restart of the server from where it was.",
	}, withDesk(a, func(ctx context.Context, in *Named) (*body[imported], error) {
		e, err := a.o.Desk.Start(in.Name, callerOf(ctx).name())
		return answer(a.importedOf(&e), err)
	}))
	route(a, operation{method: http.MethodPost, path: "/imports/{name}/resume", scope: keys.Edit, tag: tag, status: http.StatusAccepted, summary: "Go on with an import that was cut short"},
		withDesk(a, func(_ context.Context, in *Named) (*body[imported], error) {
			if err := a.o.Desk.Resume(in.Name); err != nil {
				return nil, err
			}
			e, err := a.o.Imports.Entry(in.Name)
			return answer(a.importedOf(&e), err)
		}))
	route(a, operation{
		method: http.MethodGet, path: "/imports/{name}/errors", scope: keys.Read, roles: []people.Role{people.Owner, people.Admin, people.Marketer}, handsOut: true, tag: tag,
		summary: "Download the rows that an import refused", about: "CSV with the line and the reason before the row's own columns: mended, it can be imported like the file itself.",
	}, withDesk(a, func(_ context.Context, in *Named) (*huma.StreamResponse, error) {
		f, err := a.o.Desk.Errors(in.Name)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer f.Close()
			_, w := humago.Unwrap(c)
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="`+in.Name+`-refused.csv"`)
			_, _ = io.Copy(w, f) // who is gone cannot be told
		}}, nil
	}))
}

// waitFor is how long the next bytes of a file may take to come.
const waitFor = time.Minute

// patient lets a large file take longer than other bodies, as long as it comes.
func patient(w http.ResponseWriter, r io.Reader) io.Reader {
	return &patience{r, http.NewResponseController(w)}
}

type patience struct {
	r io.Reader
	c *http.ResponseController
}

func (p *patience) Read(b []byte) (int, error) {
	_ = p.c.SetReadDeadline(time.Now().Add(waitFor)) // a writer of a test has none
	return p.r.Read(b)
}

// name is who makes the request, for people.
func (c caller) name() string {
	if a := c.actor(); a.Name != "" {
		return a.Name
	}
	return c.by()
}
