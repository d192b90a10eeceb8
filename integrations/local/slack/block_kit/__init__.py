"""Block Kit and views, checked as strictly as Slack checks them."""
