"""The core of Millrace: rules, arithmetic and use cases, free of any runtime they are deployed to."""
