package ses

import (
	"net/http"
	"time"
)

// Sign signs a request of any service, for the test suite that AWS publishes.
func Sign(c Credentials, region, service string, r *http.Request, body []byte, now time.Time) {
	(&signer{c, region, service}).sign(r, body, now)
}
