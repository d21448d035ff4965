//! The batch services, over HTTP.

mod anthropic;
mod everywhere;
mod faults;
mod gemini;
mod openai;
mod shop;
mod xai;
