"""What the pages share: small images, scripts and styles, and how a page is written."""
