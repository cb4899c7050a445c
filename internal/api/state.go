package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
)

// serverHealth says whether the server works.
type serverHealth struct {
	Ready   bool   `json:"ready" doc:"Whether it takes what is sent to it and applies it."`
	Trouble string `json:"trouble,omitempty" doc:"Why not."`
}

// stats are sizes for people.
type stats struct {
	run.State
	Rows  map[string]int64 `json:"rows" doc:"Rows by table of the state, and the bytes on disk under bytes."`
	Asked time.Time        `json:"asked" doc:"When this was counted."`
}

// state adds the operations about the server itself.
func (a *API) state() {
	route(a, get("/health", "state", "Say whether the server works", ""), func(context.Context, *struct{}) (*body[serverHealth], error) {
		if err := a.o.Node.Ready(); err != nil {
			_, why := fault.Of(err)
			return answer(serverHealth{Trouble: why}, nil)
		}
		return answer(serverHealth{Ready: true}, nil)
	})
	route(a, get("/stats", "state", "Count what the server holds and has done", ""), func(ctx context.Context, _ *struct{}) (*body[stats], error) {
		rows, err := a.o.Store.Stats(ctx)
		if err != nil {
			return nil, fmt.Errorf("counting the state: %w", err)
		}
		return answer(stats{a.o.Node.State(), rows, time.Now().UTC()}, nil)
	})
}

// keyCall asks for a restricted key.
type keyCall struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"60" doc:"What it is for." example:"till in Leeds"`
		Scopes []string `json:"scopes" minItems:"1" maxItems:"6" enum:"read,analyse,write,send,erase,sql" doc:"What it may do."`
	}
}

// keys adds the operations about keys. A restricted key cannot do them: one that
// could make keys would have no bounds.
func (a *API) keys() {
	const tag = "keys"
	list := get("/keys", tag, "List the keys", "The revoked ones included. A secret or restricted key itself is never shown again.")
	list.scope = secretOnly
	route(a, list, func(context.Context, *struct{}) (*body[page[keys.Key]], error) {
		return answer(page[keys.Key]{Data: append([]keys.Key{}, a.o.Keys.List()...)}, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/keys", scope: secretOnly, tag: tag, status: http.StatusCreated, summary: "Make a restricted key",
		about: "The answer is the only time at which the key is shown. Who repeats the call gets another key.",
	}, func(_ context.Context, in *keyCall) (*body[keys.New], error) {
		scopes := make([]keys.Scope, len(in.Body.Scopes))
		for i, s := range in.Body.Scopes {
			scopes[i] = keys.Scope(s)
		}
		return answer(a.o.Keys.Add(in.Body.Name, scopes))
	})
	route(a, operation{
		method: http.MethodDelete, path: "/keys/{id}", scope: secretOnly, tag: tag, summary: "Revoke a key", status: http.StatusNoContent,
		about: "At once on this server, and within a second on others. To revoke a key twice changes nothing.",
	}, func(_ context.Context, in *struct {
		ID string `path:"id" maxLength:"40"`
	},
	) (*struct{}, error) {
		return &struct{}{}, a.o.Keys.Revoke(in.ID)
	})
}
