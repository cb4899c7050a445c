package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
)

// aside is an event that was put aside.
type aside struct {
	ID       string          `json:"id"`
	At       event.Time      `json:"at"`
	Kind     string          `json:"kind" doc:"rejected: it failed the checks; poison: the core stumbled over it; hops: it was forwarded too often; trait: the event counts, and one trait of it does not."`
	Reason   string          `json:"reason"`
	Field    string          `json:"field,omitempty"`
	Name     string          `json:"name,omitempty" doc:"Of the event, as far as it can be told."`
	Source   string          `json:"source,omitempty"`
	Customer string          `json:"customer,omitempty" doc:"Whose it was; absent: it never got an address."`
	Detail   string          `json:"detail,omitempty" doc:"What was sent, where it is no JSON, or where the core stumbled."`
	Event    json.RawMessage `json:"event,omitempty" doc:"The event, if it can be mended and heard again."`
}

func asideOf(q *run.Aside, masked bool) aside {
	v := aside{ID: q.ID, At: q.At, Kind: q.Kind, Reason: q.Reason, Field: q.Field, Name: q.Name, Source: q.Source}
	if !q.To.Zero() {
		v.Customer = q.To.String()
	}
	if masked {
		return v
	}
	if q.Whole {
		v.Event = json.RawMessage(q.Body)
	} else {
		v.Detail = string(q.Body)
	}
	if q.Kind != "rejected" && q.Detail != "" {
		v.Detail = q.Detail
	}
	return v
}

// asideReason is a reason for which events were put aside.
type asideReason struct {
	Kind   string     `json:"kind"`
	Reason string     `json:"reason"`
	Field  string     `json:"field,omitempty"`
	Count  int        `json:"count"`
	First  event.Time `json:"first"`
	Last   event.Time `json:"last"`
	Whole  int        `json:"replayable" doc:"How many of them can be heard again."`
}

// asideReasons is what was put aside, by reason.
type asideReasons struct {
	Total   int           `json:"total" doc:"At most ten thousand are looked at."`
	Reasons []asideReason `json:"reasons" doc:"The most frequent first."`
}

// replayed is what became of hearing something again.
type replayed struct {
	Taken  int    `json:"taken" doc:"Durable, and put aside no longer."`
	Left   int    `json:"left" doc:"What still cannot be taken."`
	Reason string `json:"reason,omitempty" doc:"Why not; of many, the first."`
	Field  string `json:"field,omitempty"`
}

// WhyAside names one reason.
type WhyAside struct {
	Kind   string `json:"kind,omitempty" maxLength:"40"`
	Reason string `json:"reason,omitempty" maxLength:"1000"`
	Field  string `json:"field,omitempty" maxLength:"400"`
}

func (w *WhyAside) is(q *run.Aside) bool {
	return w.Kind == q.Kind && w.Reason == q.Reason && w.Field == q.Field
}

// mostAsked is how many newest ones reasons are counted of.
const mostAsked = 10_000

// asides adds the operations about what was put aside.
func (a *API) asides() {
	const tag = "events"
	route(a, get("/quarantine", "state", "List what was put aside, with the reason", "The newest first, of one reason or of all. Who only analyses does not see the events themselves."), a.quarantine)
	route(a, get("/quarantine/reasons", tag, "Count what was put aside, by reason", ""), func(ctx context.Context, _ *struct{}) (*body[asideReasons], error) {
		list, err := a.o.Node.Asides(ctx, mostAsked)
		if err != nil {
			return nil, err
		}
		out := asideReasons{Total: len(list), Reasons: []asideReason{}}
		at := map[WhyAside]int{}
		for i := range list {
			q := &list[i]
			k := WhyAside{q.Kind, q.Reason, q.Field}
			n, known := at[k]
			if !known {
				n = len(out.Reasons)
				at[k] = n
				out.Reasons = append(out.Reasons, asideReason{Kind: q.Kind, Reason: q.Reason, Field: q.Field, Last: q.At})
			}
			r := &out.Reasons[n]
			r.Count++
			r.First = q.At
			if q.Whole {
				r.Whole++
			}
		}
		slices.SortStableFunc(out.Reasons, func(x, y asideReason) int { return cmp.Compare(y.Count, x.Count) })
		return answer(out, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/quarantine/{name}/replay", scope: keys.Edit, tag: tag, summary: "Hear again what was put aside, as it was or mended", maxBody: maxGoodsBody,
		about: "As if it had come when it came. A mended event that still cannot be taken stays, and the answer says why.",
	}, func(ctx context.Context, in *struct {
		Named
		Body struct {
			Event json.RawMessage `json:"event,omitempty" doc:"The mended event. Default: as it was."`
		}
	},
	) (*body[replayed], error) {
		q, err := a.o.Node.Aside(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		if len(in.Body.Event) == 0 && !q.Whole {
			return nil, fault.New(fault.Invalid, "what was kept of it is not whole: send the mended event")
		}
		var mended []byte
		if len(in.Body.Event) > 0 {
			mended = in.Body.Event
		}
		why, err := a.o.Node.Replay(ctx, &q, mended)
		if err != nil || why == nil {
			return answer(replayed{Taken: 1}, err)
		}
		return answer(replayed{Left: 1, Reason: why.Reason, Field: why.Field}, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/quarantine/replay", scope: keys.Edit, tag: tag, summary: "Hear again all that was put aside for one reason",
		about: "After what was wrong was mended here, such as a limit or a fault of ours.",
	}, func(ctx context.Context, in *struct{ Body WhyAside }) (*body[replayed], error) {
		list, err := a.o.Node.Asides(ctx, mostAsked)
		if err != nil {
			return nil, err
		}
		var out replayed
		for i := range slices.Backward(list) { // in the order in which they came
			q := &list[i]
			if !in.Body.is(q) {
				continue
			}
			if !q.Whole {
				out.Left++
				continue
			}
			why, err := a.o.Node.Replay(ctx, q, nil)
			switch {
			case err != nil:
				return nil, err
			case why == nil:
				out.Taken++
			default:
				if out.Left++; out.Reason == "" {
					out.Reason, out.Field = why.Reason, why.Field
				}
			}
		}
		return answer(out, nil)
	})
	route(a, operation{
		method: http.MethodPost, path: "/quarantine/discard", scope: keys.Edit, tag: tag, summary: "Delete what was put aside", about: "By ids, or all of one reason.",
	}, func(ctx context.Context, in *struct {
		Body struct {
			IDs []string `json:"ids,omitempty" maxItems:"1000"`
			WhyAside
		}
	},
	) (*body[replayed], error) {
		ids := in.Body.IDs
		if len(ids) == 0 {
			if in.Body.Kind == "" {
				return nil, fault.New(fault.Invalid, "say ids, or the kind and reason of what is to be deleted")
			}
			list, err := a.o.Node.Asides(ctx, mostAsked)
			if err != nil {
				return nil, err
			}
			for i := range list {
				if in.Body.is(&list[i]) {
					ids = append(ids, list[i].ID)
				}
			}
		}
		return answer(replayed{Taken: len(ids)}, a.o.Node.Discard(ctx, ids...))
	})
}

func (a *API) quarantine(ctx context.Context, in *struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most that are listed."`
	Kind   string `query:"kind" maxLength:"40"`
	Reason string `query:"reason" maxLength:"1000"`
	Field  string `query:"field" maxLength:"400"`
},
) (*body[page[aside]], error) {
	most := in.Limit
	if in.Kind != "" {
		most = mostAsked
	}
	list, err := a.o.Node.Asides(ctx, most)
	if err != nil {
		return nil, err
	}
	masked := callerOf(ctx).masked()
	why := WhyAside{in.Kind, in.Reason, in.Field}
	out := page[aside]{Data: []aside{}}
	for i := range list {
		if in.Kind != "" && !why.is(&list[i]) {
			continue
		}
		if len(out.Data) == in.Limit {
			break
		}
		out.Data = append(out.Data, asideOf(&list[i], masked))
	}
	return answer(out, nil)
}
