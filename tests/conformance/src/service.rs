//! Handlers of the conformance service.

use std::time::Duration;

use connect::wkt::Any;
use connect::{Code, Context, Error, Response, Runtime as _};
use connect_worker::WorkerRuntime;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;

use crate::protos::connectrpc::conformance::v1::{
    self as conformance, ConformancePayload, ConformanceService, Header, IdempotentUnaryRequest,
    IdempotentUnaryResponse, UnaryRequest, UnaryResponse, UnaryResponseDefinition,
    UnimplementedRequest, UnimplementedResponse, conformance_payload, unary_response_definition,
};

/// Handlers that respond as the request's `response_definition` says.
pub(crate) struct Conformance;

impl ConformanceService for Conformance {
    async fn unary(
        &self,
        cx: &Context,
        request: UnaryRequest,
    ) -> Result<Response<UnaryResponse>, Error> {
        let received = Any::pack("connectrpc.conformance.v1.UnaryRequest", &request);
        let payload = respond(cx, received, request.response_definition).await?;
        Ok(with_payload(payload, |payload| UnaryResponse { payload }))
    }

    async fn unimplemented(
        &self,
        _: &Context,
        _: UnimplementedRequest,
    ) -> Result<Response<UnimplementedResponse>, Error> {
        Err(Error::unimplemented("not implemented, as its name says"))
    }

    async fn idempotent_unary(
        &self,
        cx: &Context,
        request: IdempotentUnaryRequest,
    ) -> Result<Response<IdempotentUnaryResponse>, Error> {
        let received = Any::pack("connectrpc.conformance.v1.IdempotentUnaryRequest", &request);
        let payload = respond(cx, received, request.response_definition).await?;
        Ok(with_payload(payload, |payload| IdempotentUnaryResponse {
            payload,
        }))
    }
}

fn with_payload<M>(
    response: Response<ConformancePayload>,
    message: impl FnOnce(Option<ConformancePayload>) -> M,
) -> Response<M> {
    Response {
        message: message(Some(response.message)),
        headers: response.headers,
        trailers: response.trailers,
    }
}

async fn respond(
    cx: &Context,
    received: Any,
    definition: Option<UnaryResponseDefinition>,
) -> Result<Response<ConformancePayload>, Error> {
    let info = request_info(cx, received);
    let Some(definition) = definition else {
        return Ok(ConformancePayload {
            data: Vec::new(),
            request_info: Some(info),
        }
        .into());
    };
    if definition.response_delay_ms > 0 {
        let delay = Duration::from_millis(definition.response_delay_ms.into());
        WorkerRuntime.sleep(delay).await;
    }
    let (headers, trailers) = (
        to_map(&definition.response_headers),
        to_map(&definition.response_trailers),
    );
    let data = match definition.response {
        Some(unary_response_definition::Response::Error(requested)) => {
            let mut error = to_error(requested, &info);
            *error.headers_mut() = headers;
            *error.trailers_mut() = trailers;
            return Err(error);
        }
        Some(unary_response_definition::Response::ResponseData(data)) => data,
        None => Vec::new(),
    };
    Ok(Response {
        message: ConformancePayload {
            data,
            request_info: Some(info),
        },
        headers,
        trailers,
    })
}

fn request_info(cx: &Context, received: Any) -> conformance_payload::RequestInfo {
    let remaining = |deadline: connect::Deadline| deadline.remaining(WorkerRuntime.now());
    conformance_payload::RequestInfo {
        request_headers: to_headers(cx.headers()),
        timeout_ms: cx
            .deadline()
            .map(|deadline| i64::try_from(remaining(deadline).as_millis()).unwrap_or(i64::MAX)),
        requests: vec![received],
        connect_get_info: None,
    }
}

/// Builds the requested error. Its last detail is the information about the request.
fn to_error(requested: conformance::Error, info: &conformance_payload::RequestInfo) -> Error {
    // The proto names its codes as the protocol does, with a prefix and in upper case.
    let name = requested
        .code()
        .as_str_name()
        .trim_start_matches("CODE_")
        .to_lowercase();
    let code = Code::from_name(&name).unwrap_or(Code::Internal);
    let mut error = Error::new(code, requested.message.unwrap_or_default());
    for detail in requested.details {
        let name = detail.type_url.rsplit('/').next().unwrap_or_default();
        error = error.with_detail(name.to_owned(), detail.value.clone());
    }
    let name = "connectrpc.conformance.v1.ConformancePayload.RequestInfo";
    error.with_detail(name, info.encode_to_vec())
}

fn to_headers(map: &HeaderMap) -> Vec<Header> {
    map.keys()
        .map(|name| Header {
            name: name.to_string(),
            value: map
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect(),
        })
        .collect()
}

fn to_map(headers: &[Header]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for header in headers {
        for value in &header.value {
            let name = HeaderName::try_from(&header.name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                map.append(name, value);
            }
        }
    }
    map
}
