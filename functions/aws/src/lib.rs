//! The AWS Lambda function.
