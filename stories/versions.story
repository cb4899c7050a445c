story: People inside a journey stay on its version when it is edited
start: 2024-03-04
journeys: once

Mon 09:00  ada  Consent Given    email
           bob  Consent Given    email
           ada  Order Completed  mug  order_id=A1
Mon 09:30  *    definitions v2
           ada  in journey once
           bob  Order Completed  mug  order_id=B1
Mon 10:00  ada  -> mail once  reason="You ordered A1"
Mon 12:29  bob  -> nothing
Mon 12:30  bob  -> mail once  reason="You ordered B1, says the edited journey"
