story: One letter at nine by each customer's own clock, and what must not be sent
start: 2011-11-14
journeys: winter-lights

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  lamp/lighting@49.90
           bob  Consent Given    email
           bob  identify         timezone=America/New_York
           bob  Order Completed  lamp/lighting@49.90
           cyd  Order Completed  lamp/lighting@49.90      # never agreed
           dan  Consent Given    email
           dan  Order Completed  mug/kitchen@4.50         # not for him
           eva  Consent Given    email
           eva  Order Completed  lamp/lighting@49.90
2011-11-30 12:00  *  campaign send winter-lights
2011-12-01 08:59  *  -> nothing
           eva  Unsubscribed     email                    # a minute before it would have left
2011-12-01 09:00  ada  -> mail winter-lights  subject="Light for the dark months"
           cyd  -> dropped mail winter-lights  no-consent
           eva  -> dropped mail winter-lights  no-consent
2011-12-01 13:59  bob  -> nothing
2011-12-01 14:00  bob  -> mail winter-lights              # nine in New York
+7d        *    -> nothing
