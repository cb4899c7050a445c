package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/run"
)

// newsHTML is what shops send: a letter with its look, a few products and a button.
const newsHTML = `---
subject: New this week, {{ customer.first_name | default: "dear customer" }}
---
<table role="presentation" width="100%" style="max-width:600px;background:#fffdf9;font-family:Georgia,serif;color:#33302c"><tr><td style="padding:32px">
<h1 style="margin:0 0 16px;font-size:26px;color:#8a3b1f">Hello {{ customer.first_name | default: "there" }}</h1>
<p style="margin:0 0 24px;line-height:1.5">The first lamps of the season are here, made of brass and oak, and warm enough for the long evenings. We put aside a few that we thought you would like to see before anybody else does.</p>
{% assign names = "Reading lamp,Table lamp,Wall lamp" | split: "," %}{% for name in names %}<table role="presentation" width="100%"><tr>
<td style="padding:8px 0;width:120px"><a href="{{ shop.website }}/lamps/{{ forloop.index }}"><img src="{{ shop.website }}/pictures/lamp-{{ forloop.index }}.jpg" alt="{{ name }}" width="104" height="104"></a></td>
<td style="padding:8px 16px;line-height:1.4"><strong>{{ name }}</strong><br>Solid oak, a shade of linen, a cord of two metres.<br><a href="{{ shop.website }}/lamps/{{ forloop.index }}" style="color:#8a3b1f">Look at it</a></td>
<td style="padding:8px 0;text-align:right">{{ forloop.index | times: 29.95 | money: shop.currency }}</td></tr></table>
{% endfor %}<p style="margin:24px 0"><a href="{{ shop.website }}/new" style="display:inline-block;padding:12px 24px;background:#8a3b1f;color:#ffffff;text-decoration:none">See all that is new</a></p>
</td></tr></table>
`

const newsText = `Hello {{ customer.first_name | default: "there" }},

the first lamps of the season are here, made of brass and oak.
{% assign names = "Reading lamp,Table lamp,Wall lamp" | split: "," %}{% for name in names %}
- {{ name }}, {{ forloop.index | times: 29.95 | money: shop.currency }}: {{ shop.website }}/lamps/{{ forloop.index }}{% endfor %}

See all that is new: {{ shop.website }}/new
`

// newsShop returns definitions of one campaign to everybody, with nothing that
// holds a message back.
func newsShop() (*program.Source, error) {
	return program.New(append(files("caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: []\nowned_for: 0d\n"),
		program.File{Path: "segments/known.yaml", Body: "segment: known\nwhen: {trait: first_name, exists: true}\n"},
		program.File{Path: "campaigns/news.yaml", Body: "campaign: news\naudience: {segment: known}\ntemplate: news\nundo: none\nholdout: 0\nreason: You asked for our news\n"},
		program.File{Path: "templates/news.html.liquid", Body: newsHTML},
		program.File{Path: "templates/news.txt.liquid", Body: newsText},
	))
}

// campaignBench measures a campaign from the order to the last receipt: into a
// channel that carries nothing, by SMTP, and by SMTP with both signatures.
func campaignBench(ctx context.Context, b *bench) error {
	n := b.size(60, 20_000, 100_000)
	signed := max(n/5, 50)
	r := &b.result
	r.Target = "≥ 5,500 mails/s by SMTP on the same cores with rendering; ≥ 8,000 into the null channel with receipts applied; ≥ 600 with an RSA and an Ed25519 signature"
	r.Inside = "from the order of the campaign: audience walked by the log → planned → slots → the gate → claim committed → rendered (HTML of 3 KB and text, links signed) → started in the ledger (fsynced) → " +
		"SMTP → receipt in the log, applied and committed. value and signed_… end when the last mail is taken, null_… and with_receipts_… when the last receipt is committed"
	r.LimitIs = "the SMTP channel alone with the same mails into the same catcher, without log, gate and ledger"
	r.Params["mails"], r.Params["signed_mails"] = n, signed

	null, err := b.campaign(ctx, "null", n, b.Null(), nil)
	if err != nil {
		return err
	}
	r.Figures["null_with_receipts_mails_per_s"] = float64(n) / null.applied.Seconds()

	sink, err := mailcatcher.New(mailcatcher.Options{Spill: filepath.Join(b.dir, "mails")})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }() // its file is in the folder that is removed
	if err := sink.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	smtp, err := b.SMTP(sink.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = smtp.Close() }() // nothing is under way any more
	kept := &recorder{Channel: smtp}
	plain, err := b.campaign(ctx, "smtp", n, kept, sink.Count)
	if err != nil {
		return err
	}
	r.Figures["with_receipts_mails_per_s"] = float64(n) / plain.applied.Seconds()
	b.say("the channel alone")
	alone, err := channelAlone(ctx, smtp, kept.messages, max(n/4, 50))
	if err != nil {
		return err
	}
	r.more(float64(n)/plain.taken.Seconds(), alone, "mails/s")

	carrier, err := b.Signed(sink.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = carrier.Close() }() // nothing is under way any more
	before := sink.Count()
	both, err := b.campaign(ctx, "signed", signed, carrier, func() int { return sink.Count() - before })
	if err != nil {
		return err
	}
	r.Figures["signed_mails_per_s"] = float64(signed) / both.taken.Seconds()
	if faulty := sink.Stats().Faulty; faulty > 0 {
		return fault.New(fault.Internal, fmt.Sprintf("the catcher refused %d mails", faulty))
	}
	return nil
}

// mailed is how long a campaign took: until the last mail was taken, and until its
// receipt was committed.
type mailed struct{ taken, applied time.Duration }

// campaign sends a campaign to n customers by the channel. Count says how many mails
// were taken; nil: nobody counts.
func (b *bench) campaign(ctx context.Context, name string, n int, channel channels.Channel, count func() int) (m mailed, err error) {
	src, err := newsShop()
	if err != nil {
		return m, err
	}
	p, err := b.mailing(ctx, "campaign-"+name, n, src, channel)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, p.close(ctx)) }()
	if err := p.node.Start(ctx); err != nil {
		return m, err
	}
	b.say("a campaign to %d customers, %s", n, name)
	err = b.profiled(name+"-", func() (err error) {
		m, err = p.campaign(ctx, n, count)
		return err
	})
	return m, err
}

// campaign sends the campaign, and waits for all of it.
func (p *post) campaign(ctx context.Context, n int, count func() int) (m mailed, err error) {
	began := time.Now()
	if _, err := p.node.SendCampaign(ctx, "news", run.SendOptions{Now: true}); err != nil {
		return m, err
	}
	if count != nil {
		err := p.wait(ctx, func() (bool, int64, error) {
			have := count()
			return have >= n, int64(have), nil
		})
		if err != nil {
			return m, err
		}
		m.taken = time.Since(began)
	}
	err = p.wait(ctx, func() (bool, int64, error) {
		accepted, _, err := p.count(ctx, profile.Accepted)
		return accepted == int64(n), accepted, err
	})
	m.applied = time.Since(began)
	return m, err
}
