import { type AppError, errorCatalogue } from '@studymate/contracts/errors';

/** Everything under this path speaks as OpenAI's API does. */
export const openaiPath = '/v1/';

/** The body of an error as OpenAI's SDKs read it. */
export function toOpenaiError(error: AppError, message: string, requestId: string) {
  const { param = null, openaiCode, ...details } = error.details ?? {};
  const { status } = errorCatalogue[error.code];
  return {
    error: {
      ...details,
      message,
      type: toType(status),
      param,
      code: openaiCode ?? (error.code === 'unauthenticated' ? 'invalid_api_key' : error.code),
      requestId,
    },
  };
}

function toType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
