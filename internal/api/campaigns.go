package api

import (
	"context"
	"encoding/json"
	"net/http"

	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/measure"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/report"
	"rapport/internal/run"
)

// Named is a request about the one thing of a name.
type Named struct {
	Name string `path:"name" maxLength:"100" doc:"The name of its definition."`
}

// campaignList is every campaign.
type campaignList struct {
	Campaigns []run.CampaignStatus `json:"campaigns"`
}

// effect is what a campaign added.
type effect struct {
	People   int              `json:"people" doc:"Who was measured."`
	Pending  int              `json:"pending" doc:"Who came to it too lately to be measured."`
	Days     int              `json:"window_days" doc:"After so many days somebody is measured."`
	Currency money.Currency   `json:"currency"`
	Orders   measure.Interval `json:"incremental_orders" doc:"What who got it did that they would not have done otherwise."`
	Revenue  measure.Interval `json:"incremental_revenue"`
}

// accepted says under which id a request stands in the customer's history.
type accepted struct {
	ID event.ID `json:"id" doc:"The event under which it stands in the customer's history."`
}

// campaigns adds the operations about campaigns and service messages.
func (a *API) campaigns() {
	node := a.o.Node
	route(a, get("/campaigns", "campaigns", "List the campaigns", "Each with its runs, and what became of its messages."),
		func(ctx context.Context, _ *struct{}) (*body[campaignList], error) {
			all, err := node.Campaigns(ctx)
			if all == nil {
				all = []run.CampaignStatus{}
			}
			return answer(campaignList{all}, err)
		})
	route(a, get("/campaigns/{name}", "campaigns", "Show a campaign", ""), func(ctx context.Context, in *Named) (*body[run.CampaignStatus], error) {
		return answer(node.Campaign(ctx, in.Name))
	})
	route(a, get("/campaigns/{name}/preview", "campaigns", "Say whom a campaign would reach now", "And why it would not reach the others. Sends nothing."),
		func(ctx context.Context, in *Named) (*body[run.Funnel], error) {
			return answer(node.PreviewCampaign(ctx, in.Name))
		})
	route(a, get("/campaigns/{name}/effect", "campaigns", "Measure what a campaign truly added", "Against those who were held out, with intervals that hold whenever one looks. Each is measured sixty days after the campaign came to them; until then they are pending."),
		func(ctx context.Context, in *Named) (*body[effect], error) {
			pr, err := a.inForce(ctx)
			if err != nil {
				return nil, err
			}
			d := pr.Campaign(in.Name)
			if d == nil {
				return nil, fault.New(fault.NotFound, "there is no campaign of that name")
			}
			out := effect{Currency: pr.Currency, Days: int(report.Window.Hours() / 24)}
			if a.o.Learn == nil {
				return nil, fault.New(fault.Unavailable, "this server measures nothing")
			}
			list, err := a.o.Learn(ctx, []report.Asked{{Journey: in.Name, Share: d.Holdout}}, pr.Currency)
			if err != nil {
				return nil, err
			}
			l := &list[0]
			out.People, out.Pending, out.Orders, out.Revenue = l.People, l.Pending, l.Report.MoreOrders, l.Report.MoreRevenue
			return answer(out, nil)
		})
	order := func(verb, summary, about string) operation {
		return operation{
			method: http.MethodPost, path: "/campaigns/{name}/" + verb, scope: keys.Send, tag: "campaigns", summary: summary, about: about, status: http.StatusAccepted,
		}
	}
	route(a, order("send", "Send a campaign", "As its definition says, and not before its undo window has passed. A campaign that was sent is sent again only if the body says so."),
		func(ctx context.Context, in *struct {
			Named
			Body *sendCall
		},
		) (*body[run.RunStatus], error) {
			var o sendCall
			if in.Body != nil {
				o = *in.Body
			}
			if err := a.maySend(ctx, in.Name, o.Recipients); err != nil {
				return nil, err
			}
			return answer(node.SendCampaign(ctx, in.Name, o.SendOptions))
		})
	route(a, order("rate", "Change how many messages an hour a campaign plans", ""), func(ctx context.Context, in *struct {
		Named
		Body struct {
			Rate string `json:"rate" example:"5000/h" doc:"Such as 5000/h, 100/m, 20/s or none."`
		}
	},
	) (*body[run.RunStatus], error) {
		perHour, ok := journey.ParseRate(in.Body.Rate)
		if !ok {
			return nil, fault.New(fault.Invalid, "rate is like 5000/h, 100/m, 20/s or none")
		}
		return answer(node.RateCampaign(ctx, in.Name, perHour))
	})
	for _, v := range []struct {
		verb, summary, about string
		do                   func(context.Context, string) (run.RunStatus, error)
	}{
		{"pause", "Pause a campaign", "It comes to nobody until it is resumed.", node.PauseCampaign},
		{"resume", "Resume a paused campaign", "", node.ResumeCampaign},
		{"stop", "End a campaign for good", "What has not left is recalled. Within the undo window that is everything.", node.StopCampaign},
	} {
		route(a, order(v.verb, v.summary, v.about), func(ctx context.Context, in *Named) (*body[run.RunStatus], error) {
			return answer(v.do(ctx, in.Name))
		})
	}
	route(a, operation{
		method: http.MethodPost, path: "/service/{name}", scope: keys.Send, traffic: true, roles: servants, tag: "service messages", status: http.StatusAccepted,
		summary: "Ask for a service message", about: "It is answered once the request is durable. The same Idempotency-Key asks once, however often it is called.",
	}, a.service)
}

// serviceCall asks for a service message.
type serviceCall struct {
	Named
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"The same key asks once. Instead of idempotency_key in the body."`
	Body struct {
		To    run.Recipient   `json:"to" doc:"Exactly one of its fields."`
		Props json.RawMessage `json:"props,omitempty" doc:"An object: what the message is told, such as the order."`
		Key   string          `json:"idempotency_key,omitempty" maxLength:"200" doc:"The same key asks once."`
	}
}

func (a *API) service(ctx context.Context, in *serviceCall) (*body[accepted], error) {
	key := in.Body.Key
	if in.Key != "" {
		key = in.Key
	}
	props, err := object(in.Body.Props)
	if err != nil {
		return nil, err
	}
	id, err := a.o.Node.SendService(ctx, in.Name, in.Body.To, props, key)
	return answer(accepted{id}, err)
}
