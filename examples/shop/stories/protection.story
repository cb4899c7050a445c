story: What protects the customer, whichever journey speaks
start: 2011-03-07
journeys: none

Mon 10:00  ada  ? email mug         no-consent
           ada  Consent Given       email
           ada  ? email mug         allowed
Mon 10:05  ada  Order Completed     mug/kitchen@4.50  channel=till
Mon 10:06  ada  ? email mug         just-bought
           ada  ? email plate       allowed
+60d       ada  ? email mug         allowed       # sixty days are over
Sun 21:00  ada  ? email plate       quiet-hours
           ada  ? email class=service  allowed     # what the customer waits for is not held
Mon 08:00  ada  ? email plate       allowed
           ada  identify            complaint_open=true
           ada  ? email plate       complaint-open
           ada  identify            complaint_open=false
           ada  Unsubscribed        email
           ada  ? email plate       no-consent
