package bounce

import (
	"encoding/json"
	"strings"

	"rapport/internal/channels"
)

// ses reads a notification of Amazon SES that its owner has sent to a mailbox:
// JSON as the text of a mail.
func (m *mail) ses() []Recipient {
	text := strings.ReplaceAll(strings.TrimSpace(m.text), "\n", "") // long lines were broken on the way
	if !strings.HasPrefix(text, "{") || !strings.Contains(text, `"notificationType"`) {
		return nil
	}
	type who struct {
		Email string `json:"emailAddress"`
		State string `json:"status"`
		Words string `json:"diagnosticCode"`
	}
	var n struct {
		Kind   string `json:"notificationType"`
		Bounce struct {
			Type string `json:"bounceType"`
			Who  []who  `json:"bouncedRecipients"`
		} `json:"bounce"`
		Delivery struct {
			Who []string `json:"recipients"`
		} `json:"delivery"`
	}
	// Behind the JSON stands a footer of the service that forwards it.
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&n); err != nil {
		return nil
	}
	var list []Recipient
	switch n.Kind {
	case "Bounce":
		for _, w := range n.Bounce.Who[:min(len(n.Bounce.Who), maxRecipients)] {
			f := failure(diagnosis(w.Words), statusIn(w.State))
			if n.Bounce.Type == "Permanent" {
				f.Says = channels.Hard
			}
			list = append(list, Recipient{Address: bare(w.Email), Told: channels.Bounced, Failure: f})
		}
	case "Delivery":
		for _, w := range n.Delivery.Who[:min(len(n.Delivery.Who), maxRecipients)] {
			list = append(list, Recipient{Address: bare(w), Told: channels.Delivered})
		}
	}
	return list
}
