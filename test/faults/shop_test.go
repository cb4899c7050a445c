package faults_test

import (
	"os"
	"path/filepath"
	"testing"

	"rapport/internal/mailcatcher"
)

// shop are the definitions of a shop that writes at once to whoever orders, and
// knows who has looked around within the last seconds.
var shop = map[string]string{
	"shop.yaml": `
name: The Test Shop
zone: UTC
currency: EUR
locale: en
website: https://shop.example
postal: The Test Shop, 1 Test Street, Dublin
purposes:
  marketing: News and offers
senders:
  email: {from_name: The Test Shop, from: hello@shop.example, reply_to: care@shop.example}
`,
	"policy.yaml": "caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: []\n",
	"journeys/hello.yaml": `
journey: hello
trigger: {event: Order Completed, key: order_id}
reentry: once_per_key
holdout: 0%
steps:
  - name: hello
    send:
      template: hello
      reason: You placed order {trigger.order_id} with us
`,
	"segments/around.yaml": `
segment: around
label: Looking around
when: {did: Product Viewed, within: 3s}
`,
	"templates/hello.html.liquid": "---\nlabel: Hello\nsubject: Hello\n---\n<p>Hello. {{ reason }}.</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n",
	"templates/hello.txt.liquid":  "Hello. {{ reason }}. Unsubscribe: {{ unsubscribe_url }} {{ shop.postal }}\n",
}

// definitions writes the shop into a folder.
func definitions(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for name, body := range shop {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newCatcher returns a mail server outside of the product.
func newCatcher(t *testing.T) *mailcatcher.Catcher {
	t.Helper()
	c, err := mailcatcher.New(mailcatcher.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// newShop returns a data directory with the shop in force, and the mail server
// that it sends through.
func newShop(t *testing.T) (*home, *mailcatcher.Catcher) {
	t.Helper()
	c := newCatcher(t)
	return newHome(t, "--definitions", definitions(t), "--smtp", c.Addr(), "--unverified", "send"), c
}
