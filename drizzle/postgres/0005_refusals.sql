CREATE TABLE "refusals" (
	"at" bigint NOT NULL,
	"principal" text NOT NULL,
	"reason" text NOT NULL,
	"run" text NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "refusals_at_principal_reason_run_pk" PRIMARY KEY("at","principal","reason","run")
);
--> statement-breakpoint
CREATE TABLE "usage_names" (
	"kind" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"seen_at" bigint NOT NULL,
	CONSTRAINT "usage_names_kind_id_pk" PRIMARY KEY("kind","id")
);
